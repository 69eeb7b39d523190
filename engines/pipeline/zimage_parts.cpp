// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/zimage_parts.h"

#include "engines/pipeline/model_files.h"

namespace engines {
namespace {

constexpr std::int64_t kColours = 3;

const std::filesystem::path& checked(const std::filesystem::path& directory) {
  require_zimage_files(directory);
  check_model_index(directory);
  return directory;
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

ZImagePipeline::Parts::Parts(const std::filesystem::path& directory, Kernels& the_kernels)
    : kernels(the_kernels),
      scheduler(SchedulerConfig::read(checked(directory) / "scheduler" / "scheduler_config.json",
                                      "scheduler/scheduler_config.json")),
      tokenizer(Tokenizer::load(directory / "tokenizer")),
      chat_template(ChatTemplate::load(directory / "tokenizer")),
      encoder(directory / "text_encoder", kernels),
      transformer(directory / "transformer", kernels),
      vae(directory / "vae", kernels.exact()) {
  check_fit();
}

void ZImagePipeline::Parts::check_fit() const {
  const auto& text = encoder.config();
  const auto& dit = transformer.config();
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

}  // namespace engines
