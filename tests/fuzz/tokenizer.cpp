// SPDX-License-Identifier: Apache-2.0
// tokenizer.json of a model directory, and what it makes of a text.
#include "engines/tokenizer/tokenizer.h"

#include <filesystem>
#include <fstream>

#include "engines/tensor/error.h"
#include "engines/tokenizer/unicode.h"
#include "tests/fuzz/target.h"

namespace {

namespace fs = std::filesystem;

// A folder in memory that one input after the other lies in.
class Folder {
 public:
  Folder() {
    std::string pattern = (fs::is_directory("/dev/shm") ? "/dev/shm" : "/tmp") + std::string("/fuzz-XXXXXX");
    roundhouse::fuzz::require(::mkdtemp(pattern.data()) != nullptr, "a folder can be made");
    path_ = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

bool is_utf8(const std::string& text) {
  return engines::unicode::first_invalid(text) == std::string::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Folder folder;
  std::ofstream(folder.path() / "tokenizer.json", std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  try {
    const engines::Tokenizer tokenizer = engines::Tokenizer::load(folder.path());
    for (const char* text :
         {"", "a red mushroom on green grass, 1234 <|im_start|>\n", "\xc3\xa9\xe2\x82\xac  \t x"}) {
      const auto ids = tokenizer.encode(text);
      engines::TokenStream stream(tokenizer);
      for (const std::int32_t id : ids) {
        roundhouse::fuzz::require(id >= 0 && id < tokenizer.size(), "ids are of the vocabulary");
        roundhouse::fuzz::require(is_utf8(stream.push(id)), "what leaves is whole characters");
      }
      roundhouse::fuzz::require(is_utf8(stream.finish()), "what is left becomes characters");
      roundhouse::fuzz::require(is_utf8(tokenizer.decode(ids)), "decoded text is UTF-8");
    }
    tokenizer.decode({0});
  } catch (const engines::Error& error) {
    const auto code = error.code();
    roundhouse::fuzz::require(
        code == RH_MODEL_INVALID || code == RH_WEIGHTS_MISSING || code == RH_INVALID_ARGUMENT,
        "what is damaged is refused as invalid or missing");
  }
  return 0;
}
