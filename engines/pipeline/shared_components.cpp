// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/shared_components.h"

#include "engines/sampling/sampler.h"
#include "engines/text/llama_cpp_names.h"
#include "engines/vae/autoencoder_kl.h"

namespace engines {

ComponentRule flow_match_scheduler() {
  return {"scheduler", {"FlowMatchEulerDiscreteScheduler"}, {{"scheduler/scheduler_config.json"}}};
}

ComponentRule qwen2_tokenizer() {
  return {"tokenizer",
          {"Qwen2Tokenizer", "Qwen2TokenizerFast"},
          {{"tokenizer/tokenizer_config.json", kEncoderGguf},
           {"tokenizer/vocab.json", "tokenizer/tokenizer.json", kEncoderGguf},
           {"tokenizer/merges.txt", "tokenizer/tokenizer.json", kEncoderGguf}}};
}

ComponentRule qwen3_text_encoder() {
  return {"text_encoder",
          {"Qwen3Model", "Qwen3ForCausalLM"},
          {{"text_encoder/config.json", kEncoderGguf},
           {"text_encoder/model.safetensors", "text_encoder/model.safetensors.index.json", kEncoderGguf}}};
}

void open_scheduler(const std::filesystem::path& directory, Kernels&, const PipelineOptions&) {
  SchedulerConfig::read(directory / "scheduler" / "scheduler_config.json", "scheduler/scheduler_config.json");
}

void open_vae(const std::filesystem::path& directory, Kernels& kernels, const PipelineOptions&) {
  AutoencoderKL(directory / "vae", kernels.exact());
}

ComponentRule transformer_of(std::string_view class_name) {
  return {"transformer",
          {class_name},
          {{"transformer/config.json"},
           {"transformer/diffusion_pytorch_model.safetensors",
            "transformer/diffusion_pytorch_model.safetensors.index.json",
            "transformer/diffusion_pytorch_model.gguf"}}};
}

ComponentRule autoencoder_kl() {
  return {"vae",
          {"AutoencoderKL"},
          {{"vae/config.json"},
           {"vae/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.safetensors.index.json",
            "vae/diffusion_pytorch_model.gguf"}}};
}

std::span<const WeightClass> shared_weight_classes() {
  static const std::vector<WeightClass> classes = {
      {"Autoencoder", WeightKind::vae, "", nullptr, {}},
      {"Qwen3", WeightKind::text, "qwen3", &llama_cpp_names, {"layers."}},
      {"Qwen2", WeightKind::text, "qwen2", &llama_cpp_names, {"layers."}},
      {"Llama", WeightKind::text, "llama", &llama_cpp_names, {"layers."}},
      {"Mistral", WeightKind::text, "llama", &llama_cpp_names, {"layers."}},
  };
  return classes;
}

}  // namespace engines
