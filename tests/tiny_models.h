// SPDX-License-Identifier: Apache-2.0
// One tiny model of each architecture: what every one of them must do is tested over this list.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <ostream>
#include <string>

namespace roundhouse::test {

// A folder of tests/fixtures whose dimensions are unlike the published model's, with expected values of the
// same cases ("tiny", "guided", "wide").
struct TinyModel {
  const char* fixture;
  const char* id;             // of the architecture, as model_index.json has it
  const char* name;           // as a pipeline describes it
  const char* norm;           // a float16 tensor of the transformer's blocks
  const char* caption_field;  // of transformer/config.json: the encoder's width

  std::filesystem::path folder() const { return std::filesystem::path(ROUNDHOUSE_FIXTURES) / fixture; }
};

inline constexpr TinyModel kTinyModels[] = {
    {"zimage-odd", "ZImagePipeline", "z-image", "layers.0.attention_norm1.weight", "cap_feat_dim"},
    {"ovis-odd", "OvisImagePipeline", "ovis-image", "transformer_blocks.0.attn.norm_q.weight",
     "joint_attention_dim"},
};

// As a name of a test: letters, digits and '_'.
inline std::string identifier_of(const TinyModel& model) {
  std::string name = model.fixture;
  for (char& c : name)
    c = c == '-' ? '_' : c;
  return name;
}
inline std::string name_of_model(const testing::TestParamInfo<TinyModel>& info) {
  return identifier_of(info.param);
}
inline void PrintTo(const TinyModel& model, std::ostream* out) {
  *out << model.fixture;
}

}  // namespace roundhouse::test
