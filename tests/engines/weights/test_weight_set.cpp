// SPDX-License-Identifier: Apache-2.0
// Components in one file and in shards, and what can be wrong between the files.
#include <cmath>

#include "engines/weights/weight_set.h"
#include "temporary_folder.h"

namespace engines {
namespace {

const std::filesystem::path fixtures = ROUNDHOUSE_FIXTURES;

std::string tensor_file(const std::string& name, const std::string& dtype = "F32", std::size_t element = 4) {
  return safetensors("{\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":[2],\"data_offsets\":[0," +
                         std::to_string(2 * element) + "]}}",
                     2 * element);
}

// A folder `unet` with the shards m-1 (tensor a) and m-2 (tensor b), and this index.
class Shards : public testing::Test {
 protected:
  Shards() {
    folder_.write("unet/m-1.safetensors", tensor_file("a"));
    folder_.write("unet/m-2.safetensors", tensor_file("b"));
  }
  WeightSet open(const std::string& weight_map) const {
    folder_.write("unet/m.safetensors.index.json", R"({"metadata":{},"weight_map":)" + weight_map + "}");
    return {folder_.path() / "unet", "m"};
  }
  void expect_refused(const std::string& weight_map, rh_status code, const std::string& text) const {
    expect_error([&] { open(weight_map); }, code, text);
  }
  TemporaryFolder folder_;
};

TEST_F(Shards, AbsentShardsAreAllNamed) {
  expect_refused(R"({"a":"m-1.safetensors","b":"m-8.safetensors","c":"m-9.safetensors"})", RH_WEIGHTS_MISSING,
                 "missing unet/m-8.safetensors, unet/m-9.safetensors");
}

TEST_F(Shards, AShardInAnotherFolderIsUnsafe) {
  expect_refused(R"({"a":"../m-1.safetensors"})", RH_UNSAFE_NAME, "'../m-1.safetensors'");
  expect_refused(R"({"a":"/etc/x.safetensors"})", RH_UNSAFE_NAME, "is not a plain file name");
  expect_refused(R"({"a":"sub/x.safetensors"})", RH_UNSAFE_NAME, "is not a plain file name");
  expect_refused(R"({"a":"m-1.safetensors\u0000"})", RH_UNSAFE_NAME, "is not a plain file name");
}

TEST_F(Shards, AShardThatIsNoSafetensorsFileByNameIsRefused) {
  expect_refused(R"({"a":"passwd"})", RH_MODEL_INVALID, "is not named <name>.safetensors");
  expect_refused(R"({"a":""})", RH_MODEL_INVALID, "is not named <name>.safetensors");
}

TEST_F(Shards, ATensorThatIsNotWhereTheIndexPlacesItIsRefused) {
  expect_refused(R"({"a":"m-2.safetensors","b":"m-2.safetensors"})", RH_MODEL_INVALID,
                 "tensor 'a' is not in 'm-2.safetensors'");
}

TEST_F(Shards, ATensorInTwoShardsIsRefused) {
  folder_.write("unet/m-2.safetensors", tensor_file("a"));
  expect_refused(R"({"a":"m-1.safetensors","b":"m-2.safetensors"})", RH_MODEL_INVALID, "tensor");
  folder_.write("unet/m-2.safetensors", safetensors(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                                                    R"("b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                                                    2));
  const WeightSet set = open(R"({"a":"m-1.safetensors","b":"m-2.safetensors"})");
  expect_error([&] { set.get("a", {2}); }, RH_MODEL_INVALID,
               "unet/m-1.safetensors: tensor 'a': is in unet/m-2.safetensors, too");
}

TEST_F(Shards, AnIndexThatIsMissingIsNamed) {
  folder_.write("unet/m-00002-of-00002.safetensors", tensor_file("b"));
  expect_error([&] { WeightSet(folder_.path() / "unet", "m"); }, RH_WEIGHTS_MISSING,
               "missing unet/m.safetensors.index.json (m-00002-of-00002.safetensors is there)");
}

TEST_F(Shards, AnIndexOfTheWrongFormIsRefused) {
  expect_refused("[]", RH_MODEL_INVALID, "weight_map: is missing, expected an object");
  expect_refused(R"({"a":1})", RH_MODEL_INVALID, "weight_map: 'a' is 1, expected a file name");
  expect_refused(R"({"a":"m-1.safetensors","a":"m-2.safetensors"})", RH_MODEL_INVALID, "comes twice");
  folder_.write("unet/m.safetensors.index.json", "[");
  expect_error([&] { WeightSet(folder_.path() / "unet", "m"); }, RH_MODEL_INVALID, "is not valid JSON");
}

TEST_F(Shards, TensorsOfAllShardsAreFound) {
  const WeightSet set = open(R"({"a":"m-1.safetensors","b":"m-2.safetensors"})");
  EXPECT_TRUE(set.contains("a"));
  EXPECT_TRUE(set.contains("b"));
  EXPECT_FALSE(set.contains("c"));
  EXPECT_EQ(set.get("b", {2}).size(), 2);
  EXPECT_EQ(set.total_bytes(), 16u);
}

TEST(WeightSet, AFolderWithoutWeightsIsMissingWeights) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "vae");
  expect_error([&] { WeightSet(folder.path() / "vae", "m"); }, RH_WEIGHTS_MISSING,
               "missing vae/m.safetensors");
  expect_error([&] { WeightSet(folder.path() / "vae/", "m"); }, RH_WEIGHTS_MISSING,
               "missing vae/m.safetensors");
}

TEST(WeightSet, ADifferenceToWhatTheModelExpectsNamesTensorShapesAndFile) {
  const TemporaryFolder folder;
  folder.write("vae/m.safetensors", tensor_file("a"));
  const WeightSet set(folder.path() / "vae", "m");
  expect_error(
      [&] {
        set.get("a", {2, 1});
      },
      RH_MODEL_INVALID, "vae/m.safetensors: tensor 'a': shape is [2], expected [2,1]");
  expect_error([&] { set.get("b", {2}); }, RH_MODEL_INVALID, "vae: tensor 'b' is missing");
}

TEST(WeightSet, AnIntegerTensorIsNoWeight) {
  const TemporaryFolder folder;
  folder.write("vae/m.safetensors", tensor_file("a", "I64", 8));
  const WeightSet set(folder.path() / "vae", "m");
  EXPECT_TRUE(set.contains("a"));
  expect_error(
      [&] { set.get("a", {2}); }, RH_CAPABILITY_UNSUPPORTED,
      "vae/m.safetensors: tensor 'a': is of type I64, which is not read, expected one of F32, BF16,");
}

TEST(WeightSet, ATypeThatIsNotKnownMattersOnlyToWhoAsksForIt) {
  const TemporaryFolder folder;
  folder.write("vae/m.safetensors",
               safetensors(R"({"__metadata__":null,"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                           R"("b":{"dtype":"F4","shape":[3],"data_offsets":[4,6]}})",
                           6));
  const WeightSet set(folder.path() / "vae", "m");
  EXPECT_EQ(set.floats("a", {1}).size(), 1u);
  expect_error([&] { set.get("b", {3}); }, RH_CAPABILITY_UNSUPPORTED, "is of type F4, which is not read");
}

TEST(WeightSet, APointerOfGitLfsIsCalledThat) {
  const TemporaryFolder folder;
  folder.write("vae/m.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n");
  expect_error([&] { WeightSet(folder.path() / "vae", "m"); }, RH_WEIGHTS_MISSING,
               "vae/m.safetensors: is a pointer of Git LFS, not the file itself");
}

TEST(WeightSet, TheFixturesOpenAndAddUp) {
  const WeightSet transformer(fixtures / "zimage-tiny/transformer", "diffusion_pytorch_model");
  EXPECT_EQ(transformer.main_dtype(), Dtype::bf16);
  // What the index says of itself: 303936 parameters of two bytes.
  const WeightSet encoder(fixtures / "zimage-tiny/text_encoder", "model");
  EXPECT_EQ(encoder.total_bytes(), 607872u);
  const auto norm = encoder.floats("model.layers.0.input_layernorm.weight", {64});
  ASSERT_EQ(norm.size(), 64u);
  for (const float value : norm)
    EXPECT_TRUE(std::isfinite(value));
}

TEST(WeightSet, ViewsSurviveMovingTheSet) {
  WeightSet first(fixtures / "zimage-tiny/text_encoder", "model");
  const WeightView* const view = &first.get("model.layers.0.input_layernorm.weight", {64});
  const WeightSet second = std::move(first);
  EXPECT_EQ(&second.get("model.layers.0.input_layernorm.weight", {64}), view);
}

}  // namespace
}  // namespace engines
