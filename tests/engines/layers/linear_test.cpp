// SPDX-License-Identifier: Apache-2.0
#include "engines/layers/linear.h"

#include "tests/engines/weights/temporary_folder.h"

namespace engines {
namespace {

// A folder `part` with in.weight [2, 3] = 0 1 2 / 3 4 5 and in.bias [2] = 10 20.
class LinearTest : public testing::Test {
 protected:
  LinearTest() {
    const float values[] = {0, 1, 2, 3, 4, 5, 10, 20};
    std::string file = safetensors(R"({"in.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                                   R"("in.bias":{"dtype":"F32","shape":[2],"data_offsets":[24,32]}})",
                                   0);
    file.append(reinterpret_cast<const char*>(values), sizeof values);
    folder_.write("part/m.safetensors", file);
  }
  WeightSet open() const { return {folder_.path() / "part", "m"}; }
  std::vector<float> apply(const Linear& linear) const {
    const float x[] = {1, 2, 3, -1, 0, 0.5F};
    std::vector<float> y(4);
    linear.apply(*kernels_, {y.data(), 2, 2}, {x, 2, 3});
    return y;
  }

  TemporaryFolder folder_;
  std::unique_ptr<Kernels> kernels_ = make_reference_kernels();
};

TEST_F(LinearTest, TheBiasIsAddedWhereThereIsOne) {
  WeightSet weights = open();
  EXPECT_EQ(apply(stored_linear(weights, "in", 2, 3, Bias::added)), (std::vector<float>{18, 46, 11, 19.5F}));
  EXPECT_EQ(apply(rounded_linear(weights, "in", 2, 3, Bias::none)), (std::vector<float>{8, 26, 1, -0.5F}));
}

TEST_F(LinearTest, AMissingTensorAndAnotherShapeAreNamed) {
  const WeightSet weights = open();
  expect_error([&] { stored_linear(weights, "out", 2, 3, Bias::none); }, RH_MODEL_INVALID, "out.weight");
  expect_error([&] { stored_linear(weights, "in", 3, 2, Bias::none); }, RH_MODEL_INVALID, "in.weight");
}

TEST_F(LinearTest, OneThatAModelHasNotDoesNotExist) {
  EXPECT_FALSE(Linear{}.exists());
  EXPECT_TRUE(stored_linear(open(), "in", 2, 3, Bias::none).exists());
}

}  // namespace
}  // namespace engines
