// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "engines/tensor/error.h"
#include "engines/text/decoder_files.h"
#include "engines/text/embedding_model.h"
#include "engines/text/encoder_model.h"
#include "engines/text/open_language_model.h"

namespace engines {
namespace {

// Of a decoder: what its last tokens know.
class DecoderEmbedder final : public EmbeddingModel {
 public:
  DecoderEmbedder(const std::filesystem::path& folder, Kernels& kernels, const WeightOptions& weights,
                  std::optional<std::int32_t> end)
      : model_(folder, kernels, {.weights = weights, .cache = Dtype::f32}),
        pooling_(Pooling::read(folder, Pooling::Kind::last)),
        end_(end) {}

  std::int64_t width() const override { return model_.config().hidden_size; }
  std::int64_t window() const override { return model_.window(); }
  std::uint64_t weight_bytes() const override { return model_.weight_bytes(); }
  std::vector<float> embed(std::span<const std::int32_t> ids, Run& run) override;

 private:
  DecoderModel model_;
  Pooling pooling_;
  std::optional<std::int32_t> end_;
};

std::vector<float> DecoderEmbedder::embed(std::span<const std::int32_t> ids, Run& run) {
  std::vector<std::int32_t> all(ids.begin(), ids.end());
  if (end_ && (all.empty() || all.back() != *end_)) all.push_back(*end_);
  const auto tokens = static_cast<std::int64_t>(all.size());
  if (tokens == 0 || tokens > window())
    throw Error(RH_INVALID_ARGUMENT, fmt::format("a text of {} tokens, expected 1 to {}", tokens, window()));
  const bool one = pooling_.kind == Pooling::Kind::last;
  const std::int64_t rows = one ? 1 : tokens;
  FloatBuffer hidden(static_cast<std::size_t>(rows * width()));
  const auto state = model_.make_state();
  const TextRows text{state.get(), all, rows};
  const Rows out(hidden.data(), rows, width());
  model_.hidden({&text, 1}, out, run);
  return pooled(out, pooling_);
}

bool is_file_there(const std::filesystem::path& file) {
  std::error_code ignored;
  return std::filesystem::exists(file, ignored);
}

}  // namespace

std::unique_ptr<EmbeddingModel> open_embedding_model(const std::filesystem::path& folder, Kernels& kernels,
                                                     const WeightOptions& weights) {
  const std::string stem = find_weights_stem(folder);
  const auto gguf = folder / (stem + ".gguf");
  std::optional<std::int32_t> end;
  if (is_file_there(folder / "config.json")) {
    const Config json = Config::read(folder / "config.json", "config.json");
    const EncoderFamily* const family = encoder_family(json.text_or("model_type", ""));
    if (family != nullptr)
      return std::make_unique<EncoderModel>(
          EncoderFiles{folder, stem, family, family->read(json), is_file_there(gguf)}, kernels, weights);
    if (json.has("pad_token_id")) end = static_cast<std::int32_t>(json.integer("pad_token_id", 0, INT32_MAX));
  } else if (is_file_there(gguf)) {
    const GgufFile file(gguf);
    const EncoderFamily* const family = encoder_gguf_family(file.metadata().text("general.architecture"));
    if (family != nullptr)
      return std::make_unique<EncoderModel>(
          EncoderFiles{folder, stem, family, family->read(encoder_fields(file, *family)), true}, kernels,
          weights);
  }
  return std::make_unique<DecoderEmbedder>(folder, kernels, weights, end);
}

}  // namespace engines
