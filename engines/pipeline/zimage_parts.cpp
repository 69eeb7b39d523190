// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/zimage_parts.h"

#include <algorithm>

#include "engines/pipeline/model_files.h"
#include "engines/pipeline/process_memory.h"
#include "engines/weights/gguf.h"

namespace engines {
namespace {

constexpr std::int64_t kColours = 3;
constexpr std::size_t kMaxPromptTokens = 512;
constexpr std::uint64_t kLatentCopies = 8;  // noise, predictions, velocity and what a sampler keeps
// What kernels and libraries take when they are used first: packing buffers and threads' stacks.
constexpr std::uint64_t kScratchBytes = std::uint64_t{3} << 20;

const std::filesystem::path& checked(const std::filesystem::path& directory) {
  require_zimage_files(directory);
  check_model_index(directory);
  return directory;
}

Tokenizer load_tokenizer(const TokenizerSource& from) {
  return from.gguf.empty() ? Tokenizer::load(from.folder) : Tokenizer::from_gguf(GgufFile(from.gguf));
}

ChatTemplate load_chat_template(const TokenizerSource& from) {
  return from.gguf.empty() ? ChatTemplate::load(from.folder) : ChatTemplate::from_gguf(GgufFile(from.gguf));
}

void require_equal(std::string_view field, std::int64_t value, std::string_view other,
                   std::int64_t expected) {
  if (value == expected) return;
  throw Error(RH_MODEL_INVALID, std::string(field) + ": " + std::to_string(value) + " does not fit " +
                                    std::string(other) + ", expected " + std::to_string(expected));
}

}  // namespace

std::shared_ptr<const FloatBuffer> EmbeddingCache::find(const Ids& ids) {
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (entry->first != ids) continue;
    entries_.splice(entries_.begin(), entries_, entry);
    return entry->second;
  }
  return nullptr;
}

void EmbeddingCache::keep(const Ids& ids, std::shared_ptr<const FloatBuffer> embeddings) {
  entries_.emplace_front(ids, std::move(embeddings));
  if (entries_.size() > kPrompts) entries_.pop_back();
}

ZImagePipeline::Parts::Parts(const std::filesystem::path& directory, Kernels& the_kernels,
                             const PipelineOptions& options)
    : kernels(the_kernels),
      memory(options.memory),
      scheduler(SchedulerConfig::read(checked(directory) / "scheduler" / "scheduler_config.json",
                                      "scheduler/scheduler_config.json")),
      tokenizer(load_tokenizer(tokenizer_source(directory))),
      chat_template(load_chat_template(tokenizer_source(directory))),
      encoder(directory / "text_encoder", kernels, options.weights, options.threads),
      transformer(directory / "transformer", kernels, options.weights, options.threads),
      vae(directory / "vae", kernels.exact()),
      process_bytes(resident_bytes() + kScratchBytes) {
  memory.usual_decode_budget = kDecodeBudget;
  check_fit();
}

void ZImagePipeline::Parts::check_fit() const {
  const auto& text = encoder.described().config();
  const auto& dit = transformer.described().config();
  const auto& image = vae.config();
  require_equal("transformer/config.json: cap_feat_dim", dit.cap_feat_dim,
                "hidden_size of text_encoder/config.json", text.hidden_size);
  require_equal("vae/config.json: latent_channels", image.latent_channels,
                "in_channels of transformer/config.json", dit.in_channels);
  require_equal("vae/config.json: out_channels", image.out_channels, "the pipeline", kColours);
  if (tokenizer.size() > text.vocab_size) {
    throw Error(RH_MODEL_INVALID, "tokenizer: " + std::to_string(tokenizer.size()) +
                                      " tokens do not fit vocab_size " + std::to_string(text.vocab_size) +
                                      " of text_encoder/config.json");
  }
}

EmbeddingCache::Ids ZImagePipeline::Parts::tokenize(const std::string& prompt) const {
  EmbeddingCache::Ids ids = tokenizer.encode(chat_template.render_prompt(prompt));
  if (ids.size() > kMaxPromptTokens) ids.resize(kMaxPromptTokens);
  return ids;
}

MemoryPlan ZImagePipeline::Parts::plan(const ImageRequest& request, std::size_t positive_tokens,
                                       std::size_t negative_tokens) const {
  return plan_memory(needs(request.height, request.width, positive_tokens, negative_tokens), memory,
                     "a picture of " + std::to_string(request.width) + "x" + std::to_string(request.height));
}

MemoryNeeds ZImagePipeline::Parts::needs(std::int64_t height, std::int64_t width, std::size_t positive_tokens,
                                         std::size_t negative_tokens) const {
  const auto& dit = transformer.described();
  const std::int64_t h = height / pixels_per_latent();
  const std::int64_t w = width / pixels_per_latent();
  const auto pixels = static_cast<std::uint64_t>(height * width);
  const auto latents = static_cast<std::uint64_t>(dit.config().in_channels * h * w) * sizeof(float);
  const std::uint64_t picture = 2 * kColours * pixels * sizeof(float);  // planes, then interleaved
  const auto session = [&](std::size_t tokens) {
    return tokens == 0 ? ZImageTransformer::ActivationBytes{}
                       : dit.activation_bytes(static_cast<std::int64_t>(tokens), h, w);
  };
  const auto positive = session(positive_tokens);
  const auto negative = session(negative_tokens);

  MemoryNeeds needs;
  needs.process = process_bytes;
  needs.encoder = encoder.bytes();
  needs.transformer = transformer.bytes();
  const std::uint64_t decoder = vae.weights().bytes_under("decoder.");
  needs.vae = {decoder, decoder};
  needs.encode = encoder.described().activation_bytes(std::max(positive_tokens, negative_tokens));
  needs.denoise =
      positive.kept + negative.kept + std::max(positive.scratch, negative.scratch) + kLatentCopies * latents;
  needs.decode = [config = vae.config(), height, width, picture](std::uint64_t budget) {
    return decode_bytes(config, height, width, static_cast<std::size_t>(budget)) + picture;
  };
  return needs;
}

}  // namespace engines
