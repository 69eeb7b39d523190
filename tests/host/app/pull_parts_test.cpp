// SPDX-License-Identifier: Apache-2.0
// Repositories that hold less, or more, than one model directory.
#include <fstream>

#include "host/app/pull.h"
#include "tests/host/sources/fake_hub.h"
#include "tests/host/store/gguf_bytes.h"
#include "tests/host/store/store_fixture.h"

namespace roundhouse::host {
namespace {

using test::FakeHub;
using test::GgufBytes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const std::string kTransformer = "transformer/diffusion_pytorch_model";

class PullParts : public StoreTest {
 protected:
  PullParts() { std::filesystem::remove_all(model() / "expected"); }

  AppContext context() const {
    const Environment environment = [this](const std::string& name) {
      return name == "HF_ENDPOINT" ? std::optional(hub_.endpoint()) : std::nullopt;
    };
    const auto models = [=, this] {
      return ModelCatalogue(model_search(environment, "/nowhere", root().string()));
    };
    return {root(), models, environment, "1.2.3", cancelled_, check_};
  }
  std::string taken(const std::string& source, const std::string& base = "",
                    const std::string& variant = "") {
    return outcome([&] {
      PullRequest request;
      request.source = source;
      request.name = ModelName::parse("m");
      request.variant = variant;
      request.parts.base = base;
      report_ = pull(context(), request);
    });
  }
  std::string content(const std::string& file) const {
    std::ifstream stream(blob_of("m", file), std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  // A transformer's file of more than a mebibyte.
  static std::string transformer_gguf() {
    GgufBytes file;
    file.text_key("general.architecture", "lumina2").tensor("x_pad_token", {1 << 19}, 0, 0);
    return file.bytes(std::string(1 << 21, 'x'));
  }

  FakeHub hub_;
  std::atomic<bool> cancelled_ = false;
  ModelCheck check_;
  ImportReport report_;
};

TEST_F(PullParts, a_variant_comes_under_the_names_that_engines_look_for) {
  const std::string vae = "vae/diffusion_pytorch_model";
  hub_.add_directory(model());
  const test::HubEntry weights = hub_.files.at(vae + ".safetensors");
  hub_.files[vae + ".fp16.safetensors"] = weights;
  hub_.files[vae + ".safetensors"].content = "other";
  ASSERT_EQ(taken("hf:test/model", "", "fp16"), "ok");
  EXPECT_EQ(content(vae + ".safetensors"), weights.content);
  EXPECT_THAT(report_.notes, ElementsAre(HasSubstr("text_encoder: has no variant fp16"),
                                         HasSubstr("transformer: has no variant fp16")));
  const auto before = hub_.content_requests().size();
  EXPECT_THAT(taken("hf:test/model", "", "bf16"), StartsWith("WEIGHTS_MISSING"));
  EXPECT_EQ(hub_.content_requests().size(), before);
  EXPECT_THAT(taken(model().string(), "", "fp16"), StartsWith("INVALID_ARGUMENT: --variant"));
}

TEST_F(PullParts, one_of_several_gguf_files_takes_its_place_in_the_base) {
  hub_.files["x-Q8_0.gguf"] = {transformer_gguf(), true};
  hub_.files["x-Q4_0.gguf"] = {"other", true};
  ASSERT_EQ(taken("hf:test/model:q8_0", model().string()), "ok");
  EXPECT_EQ(content(kTransformer + ".gguf"), hub_.files["x-Q8_0.gguf"].content);
  EXPECT_EQ(report_.bytes_fetched, hub_.files["x-Q8_0.gguf"].content.size());
  const StoredModel stored = get("m");
  const Provenance provenance = store().config(stored, store().manifest(stored)).provenance;
  EXPECT_EQ(provenance.repository, "test/model");
  EXPECT_EQ(provenance.revision, FakeHub::kCommit);
  EXPECT_EQ(stored.source, "hf:test/model:q8_0");
}

TEST_F(PullParts, what_makes_no_model_is_refused_by_its_header_alone) {
  hub_.files["x-Q8_0.gguf"] = {transformer_gguf(), true};
  EXPECT_THAT(taken("hf:test/model"), HasSubstr("'x-Q8_0.gguf': holds an image model's transformer alone"));
  GgufBytes part;
  part.text_key("general.architecture", "lumina2").raw("split.count", 2, test::little(3, 2));
  hub_.files["x-Q8_0.gguf"].content =
      part.tensor("x_pad_token", {1 << 19}, 0, 0).bytes(std::string(1 << 21, 'x'));
  EXPECT_THAT(taken("hf:test/model", model().string()), HasSubstr("is one part of a GGUF split into 3"));
  hub_.files["x-Q8_0.gguf"].content = transformer_gguf();
  check_ = [](const std::filesystem::path&, const ModelDirectory&) -> std::string {
    throw Error(RH_MODEL_INVALID, "tensor 'x' is missing");
  };
  EXPECT_EQ(taken("hf:test/model", model().string()), "MODEL_INVALID: hf:test/model: tensor 'x' is missing");
  EXPECT_LE(hub_.bytes_served(), 3U << 20) << "a mebibyte each time";
  EXPECT_THAT(store().list(), IsEmpty());
}

TEST_F(PullParts, a_model_that_no_engine_runs_is_refused_before_its_weights) {
  hub_.add_directory(model());
  for (auto& [path, entry] : hub_.files) {
    if (path.ends_with(".safetensors")) entry.content.append(8 << 20, '\0');
  }
  check_ = [](const std::filesystem::path&, const ModelDirectory&) { return "no engine runs 'X'"; };
  EXPECT_EQ(taken("hf:test/model"),
            "CAPABILITY_UNSUPPORTED: hf:test/model: no engine can look at the model: no engine runs 'X'");
  EXPECT_LE(hub_.bytes_served(), 7U << 20) << "a mebibyte of each file of weights";
  EXPECT_THAT(store().list(), IsEmpty());
}

TEST_F(PullParts, what_lacks_files_is_refused_before_its_weights) {
  check_ = [](const std::filesystem::path&, const ModelDirectory&) { return ""; };
  for (const std::string lost : {"vae/", "tokenizer/", "text_encoder/config.json", "scheduler/"}) {
    hub_.files.clear();
    hub_.add_directory(model());
    for (auto& [path, entry] : hub_.files) {
      if (path.ends_with(".safetensors")) entry.content.append(8 << 20, '\0');
    }
    std::erase_if(hub_.files, [&](const auto& file) { return file.first.starts_with(lost); });
    const std::uint64_t before = hub_.bytes_served();
    const std::string refusal = taken("hf:test/model");
    EXPECT_THAT(refusal, StartsWith("WEIGHTS_MISSING: model 'hf:test/model': missing " + lost));
    EXPECT_THAT(refusal, testing::Not(HasSubstr(root().string())));
    EXPECT_LE(hub_.bytes_served() - before, 7U << 20) << lost;
  }
  hub_.files.clear();
  hub_.add_directory(model() / "transformer");
  EXPECT_THAT(taken("hf:test/model"), HasSubstr("hf:test/model: is one component alone, expected --base"));
  EXPECT_THAT(store().list(), IsEmpty());
}

TEST_F(PullParts, a_component_that_stands_alone_takes_its_place_in_the_base) {
  hub_.add_directory(model() / "transformer");
  ASSERT_EQ(taken("hf:test/model", model().string()), "ok");
  const std::string shard = "-00001-of-00002.safetensors";
  EXPECT_EQ(content(kTransformer + shard), hub_.files.at("diffusion_pytorch_model" + shard).content);
  hub_.files["config.json"].content = R"({"_class_name": "OtherTransformer"})";
  EXPECT_THAT(taken("hf:test/model", model().string()),
              HasSubstr("'OtherTransformer' is not the class of a component, expected one of: "));
}

}  // namespace
}  // namespace roundhouse::host
