// SPDX-License-Identifier: Apache-2.0
// Tokenizers as Hugging Face's library computes them, from the files of a model directory or from a GGUF
// file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engines {

class GgufFile;

// What one token stands for: bytes, maybe part of a character, with the space that it begins with.
struct TokenBytes {
  std::string bytes;
  bool special = false;  // a mark of the model's, which decoding may leave out
  bool added = false;    // recognised in the text before that is split
};

class Tokenizer {
 public:
  // Reads <folder>/tokenizer.json, or vocab.json and merges.txt with the added tokens of
  // tokenizer_config.json when there is no tokenizer.json. A missing file is WEIGHTS_MISSING; what does not
  // fit together (a merge of unknown tokens, a token that no merge makes, two tokens of one id, an id of the
  // vocabulary beyond the number of tokens) or is not supported is MODEL_INVALID with file and field. Added
  // tokens may leave ids unused. `truncation` and `padding` of tokenizer.json are not applied: who calls
  // decides on lengths.
  static Tokenizer load(const std::filesystem::path& folder);
  // From the key-values tokenizer.ggml.* of a GGUF file, of the models "gpt2" (with the pre-tokenizers that
  // gguf_pre_tokenizers.cpp lists), "llama", "t5" and "bert". What is missing or does not fit together is
  // MODEL_INVALID with file and key, a tokenizer of another kind CAPABILITY_UNSUPPORTED.
  static Tokenizer from_gguf(const GgufFile& file);
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  // Ids of UTF-8 text (bytes that are no UTF-8 are INVALID_ARGUMENT, and so is a text that the file's own
  // regular expressions take too long on). Added tokens in the text are
  // recognised; add_special adds what the tokenizer's post-processor adds (Llama 3's BOS; nothing for Qwen).
  std::vector<std::int32_t> encode(std::string_view text, bool add_special = true) const;
  // Text of ids; invalid byte sequences become U+FFFD. Ids outside the vocabulary are INVALID_ARGUMENT.
  std::string decode(const std::vector<std::int32_t>& ids, bool skip_special = false) const;
  // As the tokenizer writes a token (byte alphabet), for tests and tools.
  std::string token(std::int32_t id) const;
  // What it stands for; nothing for an id that no token has.
  std::optional<TokenBytes> bytes(std::int32_t id) const;

  std::int64_t size() const;  // highest id + 1

 private:
  friend class TokenStream;
  struct State;
  explicit Tokenizer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The text of ids that come one at a time. It never ends within a character. Refers to the tokenizer. One
// thread at a time.
class TokenStream {
 public:
  explicit TokenStream(const Tokenizer& tokenizer, bool skip_special = false);
  ~TokenStream();
  TokenStream(TokenStream&&) noexcept;
  TokenStream& operator=(TokenStream&&) noexcept;

  // The text that the id completes, often empty. Ids outside the vocabulary are INVALID_ARGUMENT. All that
  // push and finish return is, put together, what decode gives; only where tokens of single bytes are not all
  // valid UTF-8 together, characters among them are kept that decode replaces.
  std::string push(std::int32_t id);
  // What is left when no id follows: bytes that no character came of are U+FFFD.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace engines
