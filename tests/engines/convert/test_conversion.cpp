// SPDX-License-Identifier: Apache-2.0
// Conversions that work: what becomes of each tensor, there and back, and the same bytes every time.
#include <algorithm>
#include <cstring>
#include <set>

#include "conversions.h"
#include "engines/diffusion/zimage_names.h"
#include "engines/tensor/quantise.h"
#include "engines/text/llama_cpp_names.h"
#include "engines/weights/gguf.h"
#include "engines/weights/safetensors.h"
#include "engines/weights/weight_set.h"

namespace engines::test {
namespace {

// The values of every tensor of a component, by the model's own names.
using Values = std::map<std::string, std::vector<float>>;
Values values_of(const std::filesystem::path& folder, const std::string& stem, const NameTable& names = {}) {
  const WeightSet set(folder, stem, {}, names);
  Values values;
  for (const std::string& name : set.names())
    values[name] = to_floats(*set.find(name));
  return values;
}

TEST(Conversion, KeepsVectorsAndTheVaeInFloat32AndCopiesWhatHoldsNoWeights) {
  for (const Dtype type : {Dtype::bf16, Dtype::f16}) {
    const Converted made(kFixtures / "zimage-tiny", type, false);
    for (const conversion::TensorReport& tensor : made.run.tensors) {
      const bool vae = tensor.file.starts_with("vae/");
      const auto sides =
          std::count_if(tensor.shape.begin(), tensor.shape.end(), [](auto side) { return side != 1; });
      EXPECT_EQ(tensor.to, vae || sides <= 1 ? Dtype::f32 : type) << tensor.file << " " << tensor.name;
    }
    const auto before = contents(kFixtures / "zimage-tiny"), after = contents(made.path());
    for (const char* file : {"model_index.json", "tokenizer/tokenizer.json", "tokenizer/vocab.json",
                             "transformer/config.json", "scheduler/scheduler_config.json"})
      EXPECT_EQ(after.at(file), before.at(file)) << file;
    EXPECT_TRUE(after.contains("text_encoder/model.safetensors"));
    EXPECT_FALSE(after.contains("text_encoder/model.safetensors.index.json")) << "one file has no index";
    EXPECT_FALSE(after.contains("text_encoder/model-00001-of-00003.safetensors"));
  }
}

TEST(Conversion, RoundsFloatsToTheNearest) {
  const Converted made(kFixtures / "zimage-tiny", Dtype::f16, false);
  const Values before = values_of(kFixtures / "zimage-tiny/transformer", "diffusion_pytorch_model");
  const Values after = values_of(made.path() / "transformer", "diffusion_pytorch_model");
  ASSERT_EQ(after.size(), before.size());
  for (const auto& [name, values] : before) {
    const conversion::TensorReport& told = made.run.at(name);
    double squares = 0, errors = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float expected = told.to == Dtype::f32 ? values[i] : f16_to_float(float_to_f16(values[i]));
      ASSERT_EQ(after.at(name)[i], expected) << name << " " << i;
      squares += double{values[i]} * values[i];
      errors += (double{expected} - values[i]) * (double{expected} - values[i]);
    }
    // The sums are added up in another order: a relative error of at most n * 2^-53.
    const double bound = static_cast<double>(values.size()) * 0x1p-52;
    EXPECT_NEAR(told.squares, squares, squares * bound) << name;
    EXPECT_NEAR(told.squares_of_errors, errors, errors * bound) << name;
  }
}

TEST(Conversion, GivesTheSameBytesWithAnyNumberOfThreads) {
  for (const auto& [type, gguf] : {std::pair(Dtype::bf16, false), {Dtype::q4_K, true}, {Dtype::q8_0, true}}) {
    const Converted one(kPocket, type, gguf, 1), three(kPocket, type, gguf, 3);
    EXPECT_TRUE(contents(one.path()) == contents(three.path())) << name_of(type);
    ASSERT_EQ(one.run.tensors.size(), three.run.tensors.size());
    for (std::size_t i = 0; i < one.run.tensors.size(); ++i) {
      EXPECT_EQ(one.run.tensors[i].squares, three.run.tensors[i].squares);
      EXPECT_EQ(one.run.tensors[i].squares_of_errors, three.run.tensors[i].squares_of_errors);
    }
  }
}

TEST(Conversion, ComesBackFromGgufBitForBit) {
  struct Case {
    const char *model, *folder, *stem;
  };
  for (const Case& one :
       {Case{"zimage-tiny", "transformer", "diffusion_pytorch_model"},
        Case{"zimage-tiny", "text_encoder", "model"},
        Case{"zimage-odd", "transformer", "diffusion_pytorch_model"},
        Case{"ovis-odd", "transformer", "diffusion_pytorch_model"}, Case{"ovis-odd", "text_encoder", "model"},
        Case{"qwen3-tiny-lm", ".", "model"}, Case{"llama-tiny-lm", ".", "model"}}) {
    const Converted gguf(kFixtures / one.model, Dtype::f32, true);
    const Converted back(gguf.path(), Dtype::f32, false);
    EXPECT_TRUE(std::filesystem::exists(gguf.path() / one.folder / (std::string(one.stem) + ".gguf")));
    EXPECT_EQ(values_of(back.path() / one.folder, one.stem),
              values_of(kFixtures / one.model / one.folder, one.stem))
        << one.model << " " << one.folder;
    // And a second time through GGUF.
    const Converted again(back.path(), Dtype::f32, true);
    EXPECT_TRUE(contents(again.path()) == contents(gguf.path())) << one.model;
  }
}

TEST(Conversion, WritesTheNamesThatOtherProgramsUse) {
  const Converted made(kFixtures / "zimage-tiny", Dtype::bf16, true);
  const GgufFile transformer(made.path() / "transformer/diffusion_pytorch_model.gguf");
  EXPECT_NE(transformer.find("layers.0.attention.qkv.weight"), nullptr);
  EXPECT_NE(transformer.find("x_embedder.weight"), nullptr);
  EXPECT_EQ(transformer.find("layers.0.attention.to_q.weight"), nullptr);
  EXPECT_EQ(transformer.metadata().text("general.architecture"), "lumina2");
  EXPECT_EQ(transformer.metadata().integer("general.file_type", 0, 100), 32);

  const GgufFile encoder(made.path() / "text_encoder/model.gguf");
  EXPECT_NE(encoder.find("token_embd.weight"), nullptr);
  EXPECT_NE(encoder.find("blk.0.attn_q_norm.weight"), nullptr);
  EXPECT_EQ(encoder.metadata().text("general.architecture"), "qwen3");
  EXPECT_EQ(config_of_gguf(encoder).integer("hidden_size", 1, 1 << 20),
            Config::read(made.path() / "text_encoder/config.json", "config.json")
                .integer("hidden_size", 1, 1 << 20));
  EXPECT_TRUE(std::filesystem::exists(made.path() / "vae/diffusion_pytorch_model.safetensors"));
}

TEST(Conversion, LaysOutTheHeadsOfALlamaForOtherPrograms) {
  const Converted made(kFixtures / "llama-tiny-lm", Dtype::f32, true);
  const GgufFile gguf(made.path() / "model.gguf");
  const WeightSet model(kFixtures / "llama-tiny-lm", "model");
  constexpr std::int64_t kHead = 14;
  for (const auto& [ours, theirs] :
       {std::pair("model.layers.1.self_attn.q_proj.weight", "blk.1.attn_q.weight"),
        {"model.layers.1.self_attn.k_proj.weight", "blk.1.attn_k.weight"}}) {
    const auto before = to_floats(*model.find(ours)), after = to_floats(*gguf.find(theirs));
    const std::int64_t row = model.find(ours)->shape[1];
    for (std::int64_t r = 0; r < model.find(ours)->shape[0]; ++r) {
      const std::int64_t there = row_for_neighbouring_pairs(r, kHead);
      for (std::int64_t i = 0; i < row; ++i)
        ASSERT_EQ(after[static_cast<std::size_t>(there * row + i)],
                  before[static_cast<std::size_t>(r * row + i)])
            << theirs << " row " << r;
    }
  }
  const auto v = to_floats(*model.find("model.layers.1.self_attn.v_proj.weight"));
  EXPECT_EQ(to_floats(*gguf.find("blk.1.attn_v.weight")), v) << "values are not rotated";
}

TEST(Conversion, RoundsToTheBlocksThatLoadingRoundsTo) {
  for (const Dtype type : {Dtype::q8_0, Dtype::q4_0, Dtype::q4_K, Dtype::q6_K}) {
    const Converted made(kPocket, type, true);
    const WeightSet written(made.path() / "transformer", "diffusion_pytorch_model", {}, zimage_names());
    WeightSet loaded(kPocket / "transformer", "diffusion_pytorch_model", {type, nullptr, false});
    std::size_t rounded = 0;
    for (const std::string& name : written.names()) {
      const WeightView& file = *written.find(name);
      if (!is_quantised(file.dtype)) continue;
      const WeightView& memory = loaded.matrix(name, file.shape);
      ASSERT_EQ(file.dtype, memory.dtype) << name;
      EXPECT_EQ(std::memcmp(file.data, memory.data, static_cast<std::size_t>(file.bytes())), 0) << name;
      ++rounded;
    }
    EXPECT_GT(rounded, 20U) << name_of(type);
    EXPECT_EQ(written.names().size(), loaded.names().size());
  }
}

TEST(Conversion, CopiesAFileInWhichNothingChanges) {
  const Converted first(kFixtures / "zimage-tiny", Dtype::bf16, false);
  const Converted second(first.path(), Dtype::bf16, false);
  EXPECT_TRUE(contents(first.path()) == contents(second.path()));
  ASSERT_EQ(second.run.tensors.size(), first.run.tensors.size());
  for (const conversion::TensorReport& tensor : second.run.tensors) {
    EXPECT_EQ(tensor.from, tensor.to);
    EXPECT_EQ(tensor.squares_of_errors, 0);
  }
}

TEST(Conversion, ReadsEightBitFloatsTimesTheirScalesAndLeavesOutWhatLiesBeside) {
  TemporaryFolder folder;
  const std::string half("\0\0\0\x3f", 4);  // 0.5 as a float
  folder.write("model.safetensors",
               safetensors(R"({"a.weight":{"dtype":"F8_E4M3","shape":[2,2],"data_offsets":[0,4]},)"
                           R"("a.weight_scale":{"dtype":"F32","shape":[],"data_offsets":[4,8]},)"
                           R"("a.input_scale":{"dtype":"F32","shape":[],"data_offsets":[8,12]},)"
                           R"("position_ids":{"dtype":"I64","shape":[1,2],"data_offsets":[12,28]}})",
                           0) +
                   "\x38\x40\x48\x50" + half + half + std::string(16, '\1'));
  for (const Dtype type : {Dtype::f32, Dtype::bf16}) {
    const Converted made(folder.path(), type, false);
    const WeightSet written(made.path(), "model");
    EXPECT_EQ(written.names(), std::vector<std::string>{"a.weight"});
    EXPECT_EQ(to_floats(written.get("a.weight", {2, 2})), (std::vector<float>{0.5F, 1, 2, 4}));
  }
}

TEST(Conversion, TellsHowFarItIsAndEveryTensorOnce) {
  const Converted made(kFixtures / "zimage-tiny", Dtype::q8_0, true);
  EXPECT_TRUE(std::is_sorted(made.run.done.begin(), made.run.done.end()));
  EXPECT_EQ(made.run.done.back(), made.run.total);
  std::set<std::string> names;
  for (const conversion::TensorReport& tensor : made.run.tensors)
    EXPECT_TRUE(names.insert(tensor.file + ":" + tensor.name).second) << tensor.name;
}

TEST(Conversion, KeepsTheKeysOfAGgufThatStandsAlone) {
  TemporaryFolder folder;
  const Converted made(kFixtures / "qwen3-tiny-lm", Dtype::f32, true);
  std::filesystem::copy(made.path() / "model.gguf", folder.path() / "model.gguf");
  const Converted quantised(folder.path(), Dtype::bf16, true);
  const GgufFile before(folder.path() / "model.gguf"), after(quantised.path() / "model.gguf");
  EXPECT_EQ(before.metadata().keys(), after.metadata().keys());
  EXPECT_EQ(after.metadata().integer("qwen3.block_count", 0, 100), 3);
  EXPECT_EQ(after.metadata().integer("general.file_type", 0, 100), 32);
  EXPECT_EQ(after.find("blk.0.attn_q.weight")->dtype, Dtype::bf16);
}

}  // namespace
}  // namespace engines::test
