// SPDX-License-Identifier: Apache-2.0
// Conversions that cannot be: damaged and hostile models, numbers that are none, and an end half-way.
#include <limits>

#include "conversions.h"
#include "engines/weights/tensor_writer.h"
#include "tests/engines/pipeline/damaged_model.h"

namespace engines::test {
namespace {

constexpr const char* kVae = "vae/diffusion_pytorch_model.safetensors";

testing::AssertionResult fails(const std::filesystem::path& source, Dtype type, bool gguf, rh_status code,
                               const std::string& part) {
  return throws_error(code, part, [&] { const Converted made(source, type, gguf); });
}

// A text model of one tensor of floats.
class OneTensor {
 public:
  explicit OneTensor(const std::vector<float>& values, const std::string& name = "model.layers.0.w",
                     std::vector<std::int64_t> shape = {}) {
    folder_.write("config.json", R"({"architectures": ["Qwen3ForCausalLM"]})");
    if (shape.empty()) shape = {2, static_cast<std::int64_t>(values.size() / 2)};
    TensorWriter writer =
        TensorWriter::safetensors(folder_.path() / "model.safetensors", {{name, Dtype::f32, shape}});
    writer.write(reinterpret_cast<const std::byte*>(values.data()), values.size() * sizeof(float));
    writer.finish();
  }
  std::filesystem::path path() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
};

TEST(ConversionDamage, NamesTheElementThatIsNoNumber) {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinite = std::numeric_limits<float>::infinity();
  const OneTensor nothing({1, 2, 3, 4, nan, 6}), endless({1, -infinite, 3, 4});
  for (const Dtype type : {Dtype::f32, Dtype::bf16, Dtype::f16}) {
    for (const bool gguf : {false, true}) {
      EXPECT_TRUE(fails(nothing.path(), type, gguf, RH_CONVERSION_FAILED,
                        "element [1, 1] is nan, expected a finite number"));
      EXPECT_TRUE(fails(endless.path(), type, gguf, RH_CONVERSION_FAILED,
                        "element [0, 1] is -inf, expected a finite number"));
    }
  }
  EXPECT_TRUE(fails(nothing.path(), Dtype::f32, false, RH_CONVERSION_FAILED,
                    "model.safetensors: tensor 'model.layers.0.w'"));
}

TEST(ConversionDamage, NamesTheElementThatATypeCannotHold) {
  const OneTensor great({1, 2, 70000, 4});
  EXPECT_TRUE(fails(great.path(), Dtype::f16, false, RH_CONVERSION_FAILED,
                    "element [1, 0] is 70000, expected a number that f16 can hold"));
  const Converted fine(great.path(), Dtype::bf16, false);
  EXPECT_EQ(fine.run.tensors.size(), 1U);
}

TEST(ConversionDamage, RefusesBlocksInSafetensors) {
  for (const Dtype type : {Dtype::q8_0, Dtype::q4_0, Dtype::q4_K, Dtype::q6_K})
    EXPECT_TRUE(fails(kFixtures / "zimage-tiny", type, false, RH_CAPABILITY_UNSUPPORTED,
                      "is not written to safetensors, expected format gguf"));
}

TEST(ConversionDamage, RefusesNamesThatGgufCannotHold) {
  const OneTensor named({1, 2, 3, 4}, std::string(65, 'x'));
  EXPECT_TRUE(fails(named.path(), Dtype::f32, true, RH_CONVERSION_FAILED, "the name is 65 bytes long"));
  const Converted fine(named.path(), Dtype::f32, false);
  const OneTensor deep({1, 2, 3, 4}, "w", {1, 1, 2, 1, 2});
  EXPECT_TRUE(fails(deep.path(), Dtype::f32, true, RH_CONVERSION_FAILED, "5 dimensions"));
}

TEST(ConversionDamage, RefusesMatricesThatAreNotRead) {
  TemporaryFolder folder;
  folder.write("model.safetensors",
               safetensors(R"({"w":{"dtype":"I8","shape":[4,4],"data_offsets":[0,16]}})", 16));
  EXPECT_TRUE(fails(folder.path(), Dtype::f32, false, RH_CONVERSION_FAILED,
                    "tensor 'w': is of a type that is not read"));
}

TEST(ConversionDamage, RefusesAModelThatIsNone) {
  TemporaryFolder folder;
  EXPECT_TRUE(fails(folder.path() / "absent", Dtype::f32, false, RH_MODEL_NOT_FOUND, "no such directory"));
  EXPECT_TRUE(fails(folder.path(), Dtype::f32, false, RH_WEIGHTS_MISSING, "no weights"));
  folder.write("model.safetensors", "short");
  EXPECT_TRUE(fails(folder.path(), Dtype::f32, false, RH_MODEL_INVALID, "model.safetensors"));
}

TEST(ConversionDamage, RefusesShardsThatLeadElsewhereOrAreNotThere) {
  const ModelCopy copy(kFixtures / "zimage-tiny");
  const std::string index = "transformer/diffusion_pytorch_model.safetensors.index.json";
  copy.set(index, "weight_map", {{"w", "../../../etc/passwd"}});
  EXPECT_TRUE(fails(copy.path(), Dtype::bf16, false, RH_UNSAFE_NAME, "../../../etc/passwd"));
  copy.set(index, "weight_map", {{"w", "absent.safetensors"}});
  EXPECT_TRUE(fails(copy.path(), Dtype::bf16, false, RH_WEIGHTS_MISSING, "absent.safetensors"));
}

TEST(ConversionDamage, RefusesATruncatedFileBeforeItWritesAnything) {
  const ModelCopy copy(kFixtures / "zimage-tiny");
  copy.truncate(kVae, 1);
  TemporaryFolder target;
  ThreadPool pool(1);
  WatchedRun run;
  EXPECT_TRUE(throws_error(RH_MODEL_INVALID, kVae, [&] {
    conversion::convert_model({copy.path(), target.path(), Dtype::bf16, false}, weight_classes(), pool, run);
  }));
  EXPECT_TRUE(contents(target.path()).empty());
}

TEST(ConversionDamage, RefusesLinksInCirclesAndWhatIsNoFile) {
  const ModelCopy copy(kFixtures / "zimage-tiny");
  std::filesystem::create_directory_symlink("..", copy.path() / "vae/up");
  EXPECT_TRUE(fails(copy.path(), Dtype::bf16, false, RH_IO_ERROR, ""));
  std::filesystem::remove(copy.path() / "vae/up");
  std::filesystem::create_symlink("/dev/zero", copy.path() / "vae/zero");
  EXPECT_TRUE(fails(copy.path(), Dtype::bf16, false, RH_IO_ERROR, "vae/zero"));
}

TEST(ConversionDamage, RefusesSafetensorsOfAGgufThatStandsAlone) {
  TemporaryFolder folder;
  const Converted made(kFixtures / "qwen3-tiny-lm", Dtype::f32, true);
  std::filesystem::copy(made.path() / "model.gguf", folder.path() / "model.gguf");
  EXPECT_TRUE(
      fails(folder.path(), Dtype::f32, false, RH_CAPABILITY_UNSUPPORTED, "has no config.json beside it"));
}

TEST(ConversionDamage, StopsWhereverItIsAskedTo) {
  int questions = 0;
  {
    const Converted whole(kFixtures / "zimage-tiny", Dtype::bf16, false);
    questions = static_cast<int>(whole.run.done.size());
  }
  for (int last : {0, 1, 10, questions / 2, questions - 1}) {
    TemporaryFolder target;
    ThreadPool pool(2);
    WatchedRun run;
    run.stop = [&last] { return last-- <= 0; };
    EXPECT_TRUE(throws_error(RH_CANCELLED, "cancelled", [&] {
      conversion::convert_model({kFixtures / "zimage-tiny", target.path(), Dtype::bf16, false},
                                weight_classes(), pool, run);
    }));
  }
}

}  // namespace
}  // namespace engines::test
