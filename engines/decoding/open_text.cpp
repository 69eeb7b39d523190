// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/open_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "engines/tensor/error.h"
#include "engines/text/decoder_family.h"
#include "engines/text/decoder_model.h"
#include "engines/text/embedding_model.h"
#include "engines/text/encoder_config.h"
#include "engines/threading/thread_pool.h"
#include "engines/weights/config.h"
#include "engines/weights/gguf.h"

namespace engines::decoding {
namespace {

namespace fs = std::filesystem;

bool present(const fs::path& file) {
  std::error_code unreadable;  // counts as absent
  return fs::exists(file, unreadable);
}

// The tokenizer and the template lie beside the weights, or in the GGUF file.
struct TextFiles {
  fs::path folder;
  std::optional<GgufFile> gguf;
};

// The GGUF file of a directory: model.gguf, or the only one.
std::optional<fs::path> gguf_in(const fs::path& folder) {
  if (present(folder / "model.gguf")) return folder / "model.gguf";
  if (present(folder / "model.safetensors") || present(folder / "model.safetensors.index.json"))
    return std::nullopt;
  std::vector<fs::path> found;
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator(folder, unreadable))
    if (entry.path().extension() == ".gguf") found.push_back(entry.path());
  return found.size() == 1 ? std::optional(found.front()) : std::nullopt;
}

TextFiles files_of(const fs::path& path) {
  std::error_code unreadable;
  if (!fs::is_directory(path, unreadable))
    throw Error(RH_MODEL_NOT_FOUND, fmt::format("directory '{}' does not exist", path.string()));
  TextFiles files{path, std::nullopt};
  if (const auto gguf = gguf_in(path)) files.gguf.emplace(*gguf);
  return files;
}

Tokenizer tokenizer_of(const TextFiles& files) {
  const bool beside = present(files.folder / "tokenizer.json") || present(files.folder / "vocab.json");
  if (!beside && files.gguf) return Tokenizer::from_gguf(*files.gguf);
  return Tokenizer::load(files.folder);
}

// Base models have none.
std::optional<ChatTemplate> template_of(const TextFiles& files) {
  if (present(files.folder / "tokenizer_config.json")) {
    if (ChatTemplate::is_there(files.folder)) return ChatTemplate::load(files.folder);
  } else if (files.gguf && files.gguf->metadata().has("tokenizer.chat_template")) {
    return ChatTemplate::from_gguf(*files.gguf);
  }
  return std::nullopt;
}

// Of a limit, what weights leave for keys and values. Mapped weights that do not fit are read again as they
// are needed. 0 without a limit.
std::uint64_t room_for_texts(DecoderModel& model, std::uint64_t limit) {
  if (limit == 0) return 0;
  const std::uint64_t texts = limit / 4;  // at least, and half of it for activations
  const std::uint64_t weights = model.weight_bytes();
  if (weights <= limit - texts) return limit - weights - texts / 2;
  if (model.least_bytes() > limit - texts)
    throw Error(RH_OUT_OF_MEMORY,
                fmt::format("the weights take {} bytes, and {} of the limit of {} are for them",
                            model.least_bytes(), limit - texts, limit));
  model.keep_within(limit - texts);
  return texts / 2;
}

EndTokens ends_of(const TextFiles& files, const TokenTexts& texts) {
  EndTokens ends = end_tokens_of(files.folder, texts);
  if (files.gguf) ends.merge(end_tokens_of(files.gguf->metadata(), texts));
  return ends;
}

}  // namespace

const std::vector<std::string_view>& text_architectures() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const DecoderFamily& family : decoder_families()) {
      if (std::ranges::find(all, family.architecture) == all.end()) all.emplace_back(family.architecture);
    }
    return all;
  }();
  return names;
}

bool is_text_model(const fs::path& path) {
  if (present(path / "model_index.json")) return false;
  return present(path / "config.json") || gguf_in(path);
}

const std::vector<std::string_view>& encoder_architectures() {
  static const std::vector<std::string_view> names{"BertModel", "NomicBertModel", "RobertaModel",
                                                   "XLMRobertaModel"};
  return names;
}

bool is_encoder(const fs::path& path) {
  if (present(path / "config.json")) {
    const Config config = Config::read(path / "config.json", "config.json");
    return encoder_family(config.text_or("model_type", "")) != nullptr;
  }
  const auto gguf = gguf_in(path);
  return gguf && encoder_gguf_family(GgufFile(*gguf).metadata().text("general.architecture")) != nullptr;
}

OpenEmbedder open_embedder(const fs::path& path, Kernels& kernels, const TextOptions& options) {
  const TextFiles files = files_of(path);
  ThreadPool pool(options.threads);
  auto model = open_embedding_model(path, kernels, {options.weights, &pool, options.plan_only});
  OpenEmbedder result;
  result.facts = {{"context", fmt::format("{}", model->window())},
                  {"width", fmt::format("{}", model->width())}};
  result.embedder = std::make_unique<TextEmbedder>(std::move(model), tokenizer_of(files));
  return result;
}

OpenText open_text(const fs::path& path, Kernels& kernels, const TextOptions& options) {
  const TextFiles files = files_of(path);
  ThreadPool pool(options.threads);
  LanguageModelOptions asked;
  asked.weights = {options.weights, &pool, options.plan_only};
  auto model = std::make_unique<DecoderModel>(files.folder, kernels, asked);
  const DecoderConfig& config = model->config();
  const auto family = std::ranges::find(decoder_families(), config.family, [](const DecoderFamily& one) {
    return std::string_view(one.model_type);
  });
  OpenText result;
  result.facts = {{"architecture", family->architecture},
                  {"dtype.text", std::string(name_of(model->weights().main_dtype()))},
                  {"context", fmt::format("{}", config.window)},
                  {"vocab", fmt::format("{}", config.vocab_size)}};
  Tokenizer tokenizer = tokenizer_of(files);
  EndTokens ends = ends_of(files, TokenTexts(tokenizer, config.vocab_size));
  BatchSettings settings;
  settings.lookup = options.lookup;
  settings.memory = room_for_texts(*model, options.memory_limit);
  result.generator = std::make_unique<TextGenerator>(
      TextParts{std::move(model), std::move(tokenizer), template_of(files), std::move(ends)}, settings);
  return result;
}

}  // namespace engines::decoding
