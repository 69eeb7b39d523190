// SPDX-License-Identifier: Apache-2.0
// Every door by which a model comes in, and what must come through none of them: what generate would refuse.
#include <fstream>
#include <functional>

#include "tests/cli/store_commands.h"
#include "tests/host/sources/fake_hub.h"

namespace roundhouse::test {
namespace {

struct BadModel {
  const char* name;
  std::function<void(const fs::path& model)> spoil;
};

void edit_json(const fs::path& file, const std::function<void(nlohmann::json&)>& edit) {
  std::ifstream stream(file);
  nlohmann::json json = nlohmann::json::parse(stream);
  edit(json);
  std::ofstream(file) << json;
}

const std::vector<BadModel> kBadModels = {
    {"rope_theta_missing",
     [](const fs::path& model) {
       edit_json(model / "text_encoder/config.json", [](auto& json) { json.erase("rope_theta"); });
     }},
    {"another_width",
     [](const fs::path& model) {
       edit_json(model / "text_encoder/config.json", [](auto& json) { json["hidden_size"] = 80; });
     }},
    {"short_vocabulary",
     [](const fs::path& model) {
       edit_json(model / "tokenizer/tokenizer.json", [](auto& json) { json["model"]["vocab"] = {{"a", 0}}; });
     }},
    {"no_positions",
     [](const fs::path& model) {
       edit_json(model / "transformer/config.json", [](auto& json) { json["axes_lens"] = {1, 1, 1}; });
     }},
    {"template_that_raises",
     [](const fs::path& model) {
       std::ofstream(model / "tokenizer/chat_template.jinja") << "{{ raise_exception('never') }}";
     }},
    {"vae_as_transformer", [](const fs::path& model) {
       const fs::path folder = model / "transformer";
       for (const auto& entry : fs::directory_iterator(folder)) {
         if (entry.path().filename() != "config.json") fs::remove(entry.path());
       }
       fs::copy(model / "vae/diffusion_pytorch_model.safetensors",
                folder / "diffusion_pytorch_model.safetensors");
     }}};

class Doors : public StoreCommands, public testing::WithParamInterface<BadModel> {
 protected:
  Doors() {
    fs::remove_all(model() / "expected");
    GetParam().spoil(model());
    std::ofstream(work() / "tiny.yaml")
        << "schema: 1\nname: tiny\narchitecture: ZImagePipeline\npath: tiny\n";
    std::ofstream(work() / "hub.yaml") << "schema: 1\nname: hub\narchitecture: ZImagePipeline\n"
                                          "base: {hf_repo: test/model, revision: main}\n";
    hub_.add_directory(model());
  }
  Outcome through(const Arguments& arguments) const {
    Arguments all = {"/usr/bin/env", "HF_ENDPOINT=" + hub_.endpoint(), program()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return launch(all, "").wait();
  }

  FakeHub hub_;
};

TEST_P(Doors, are_shut) {
  const Arguments doors[] = {{"import", "tiny", "--name", "x"},
                             {"import", "tiny/transformer", "--base", "./tiny", "--name", "x"},
                             {"pull", "./tiny", "--name", "x"},
                             {"pull", "hf:test/model", "--name", "x"},
                             {"create", "-f", "tiny.yaml"},
                             {"create", "-f", "hub.yaml"},
                             {"convert", "./tiny", "--dtype", "bf16", "--name", "x"},
                             {"quantize", "./tiny", "--type", "q8_0", "--name", "x"}};
  for (const Arguments& door : doors) {
    const Outcome outcome = through(door);
    EXPECT_EQ(outcome.status, 5) << testing::PrintToString(door) << "\n" << outcome.out << outcome.err;
    EXPECT_THAT(outcome.err, testing::HasSubstr("error: MODEL_INVALID: ")) << testing::PrintToString(door);
  }
  for (const char* name : {"x", "tiny", "hub"})
    EXPECT_NE(run({"show", name}).status, 0) << name;
}

INSTANTIATE_TEST_SUITE_P(Bad, Doors, testing::ValuesIn(kBadModels),
                         [](const auto& info) { return std::string(info.param.name); });

class Links : public StoreCommands {};

TEST_F(Links, that_leave_a_directory_are_followed_by_no_door) {
  fs::remove_all(model() / "expected");
  std::ofstream(work() / "secret") << "my secret";
  fs::create_symlink(work() / "secret", model() / "notes.json");
  fs::create_symlink(work() / "secret", model() / "transformer/notes.txt");
  ASSERT_EQ(run({"import", "tiny", "--name", "a"}).status, 0);
  ASSERT_EQ(run({"convert", "./tiny", "--dtype", "bf16", "--name", "b"}).status, 0);
  ASSERT_EQ(run({"convert", "./tiny", "--dtype", "bf16", "--output", "out"}).status, 0);
  ASSERT_EQ(run({"quantize", "./tiny", "--type", "q8_0", "--name", "c"}).status, 0);
  EXPECT_EQ(shell("grep -rl 'my secret' out " + store().string()).out, "");
  fs::remove(model() / "vae/config.json");
  fs::create_symlink(work() / "secret", model() / "vae/config.json");
  const Outcome needed = run({"convert", "./tiny", "--dtype", "bf16", "--name", "d"});
  EXPECT_NE(needed.status, 0);
  EXPECT_THAT(needed.err, testing::HasSubstr("vae/config.json"));
}

}  // namespace
}  // namespace roundhouse::test
