// SPDX-License-Identifier: Apache-2.0
// The configuration of encoders of the BERT family, and what their files call the tensors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engines/text/pooling.h"
#include "engines/weights/config.h"
#include "engines/weights/gguf.h"
#include "engines/weights/name_table.h"

namespace engines {

struct EncoderConfig {
  std::int64_t hidden_size = 0, layers = 0, heads = 0, intermediate_size = 0, vocab_size = 0;
  std::int64_t positions = 0;  // learned ones, or what the model was made for
  std::int64_t first_position = 0;
  std::int64_t types = 0;  // of tokens; 0: none are told apart
  double norm_eps = 1e-12;
  double rope_theta = 0;  // 0: positions are learned
  bool qkv_bias = true, o_bias = true, up_bias = true, down_bias = true;
  Pooling::Kind pooling = Pooling::Kind::mean;  // where no file says

  std::int64_t head_dim() const { return hidden_size / heads; }
  std::int64_t window() const { return positions - first_position; }
};

// The names of a family's tensors, without ".weight". Empty: it has no such tensor.
struct EncoderNames {
  std::vector<std::string> roots;  // prefixes that files may have
  const char *words, *positions, *types, *norm;
  const char* layers;                                // in front of a layer's number
  const char *q, *k, *v, *qkv, *o, *attention_norm;  // behind it
  const char *up, *gate, *down, *out_norm;
};

struct EncoderFamily {
  const char* model_type;
  const char* gguf;  // general.architecture, or null
  EncoderConfig (*read)(const Config& json);
  EncoderNames names;
  std::vector<NameRule> gguf_names;
};

// By model_type, or by general.architecture; null when it is none of the table.
const EncoderFamily* encoder_family(const std::string& model_type);
const EncoderFamily* encoder_gguf_family(const std::string& architecture);
// The fields of a config.json that the key-values of a GGUF file stand for.
Config encoder_fields(const GgufFile& file, const EncoderFamily& family);

}  // namespace engines
