// SPDX-License-Identifier: Apache-2.0
// Components that architectures have in common.
#pragma once

#include <span>

#include "engines/pipeline/architecture.h"
#include "engines/weights/weight_class.h"

namespace engines {

// A GGUF file of the text encoder has its configuration and its tokenizer inside.
inline constexpr const char* kEncoderGguf = "text_encoder/model.gguf";

ComponentRule flow_match_scheduler();
ComponentRule qwen2_tokenizer();
ComponentRule qwen3_text_encoder();
ComponentRule autoencoder_kl();
// Parts of an architecture (architecture.h).
void open_scheduler(const std::filesystem::path& directory, Kernels& kernels, const PipelineOptions& options);
void open_vae(const std::filesystem::path& directory, Kernels& kernels, const PipelineOptions& options);
// The folder `transformer` with weights of that class.
ComponentRule transformer_of(std::string_view class_name);

// What files call the tensors of text models and of autoencoders, most specific first.
std::span<const WeightClass> shared_weight_classes();

}  // namespace engines
