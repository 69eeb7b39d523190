// SPDX-License-Identifier: Apache-2.0
// Searching by Oniguruma, within limits that no published pattern comes near.
#include "engines/tokenizer/pattern.h"

#include <fmt/format.h>
#include <oniguruma.h>

#include <array>
#include <chrono>
#include <mutex>
#include <utility>

#include "engines/tensor/error.h"
#include "engines/weights/json_file.h"

namespace engines {
namespace {

constexpr std::size_t longest_expression = std::size_t{1} << 16;
// A run of blanks backtracks once for each of its bytes: the limit grows with the text.
constexpr unsigned long least_steps = 10'000'000;
constexpr unsigned long steps_per_byte = 16;
// Of about 40 bytes each.
constexpr unsigned most_stack_entries = 8'000'000;
constexpr std::chrono::seconds longest_search{20};
constexpr std::size_t searches_between_looks = 64;

const OnigUChar* onig_bytes(std::string_view text) {
  return reinterpret_cast<const OnigUChar*>(text.data());
}

std::string onig_reason(int code, const OnigErrorInfo* info) {
  std::array<OnigUChar, ONIG_MAX_ERROR_MESSAGE_LEN> text{};
  const int length = info != nullptr ? onig_error_code_to_str(text.data(), code, info)
                                     : onig_error_code_to_str(text.data(), code);
  return {reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(length)};
}

// What one search may use and where it puts its match.
class Search {
 public:
  explicit Search(std::size_t bytes) : region_(onig_region_new()), param_(onig_new_match_param()) {
    const unsigned long steps = least_steps + steps_per_byte * bytes;
    onig_initialize_match_param(param_);
    onig_set_match_stack_limit_size_of_match_param(param_, most_stack_entries);
    onig_set_retry_limit_in_match_of_match_param(param_, steps);
    onig_set_retry_limit_in_search_of_match_param(param_, steps);
  }
  ~Search() {
    onig_region_free(region_, 1);
    onig_free_match_param(param_);
  }
  Search(const Search&) = delete;
  Search& operator=(const Search&) = delete;

  // Whether there is a match at or after `from`.
  bool next(OnigRegex regex, std::string_view text, std::size_t from) {
    look_at_the_time();
    const OnigUChar* const begin = onig_bytes(text);
    const OnigUChar* const end = begin + text.size();
    const int place =
        onig_search_with_param(regex, begin, end, begin + from, end, region_, ONIG_OPTION_NONE, param_);
    if (place == ONIG_MISMATCH) return false;
    if (place < 0)
      throw Error(RH_INVALID_ARGUMENT,
                  fmt::format("text: the tokenizer's pattern fails on it: {}", onig_reason(place, nullptr)));
    return true;
  }
  std::size_t begin() const { return static_cast<std::size_t>(region_->beg[0]); }
  std::size_t end() const { return static_cast<std::size_t>(region_->end[0]); }

 private:
  void look_at_the_time() {
    if (++searches_ % searches_between_looks != 0) return;
    if (std::chrono::steady_clock::now() - since_ > longest_search)
      throw Error(
          RH_INVALID_ARGUMENT,
          fmt::format("text: the tokenizer's pattern takes longer than {} s on it", longest_search.count()));
  }

  OnigRegion* region_;
  OnigMatchParam* param_;
  std::size_t searches_ = 0;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

std::size_t after_one_character(std::string_view text, std::size_t at) {
  ++at;
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80)
    ++at;
  return at;
}

}  // namespace

struct Pattern::Compiled {
  Compiled() = default;
  ~Compiled() {
    if (regex != nullptr) onig_free(regex);
  }
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;
  OnigRegex regex = nullptr;
};

// Every match, apart from empty ones right after another.
template <class Found>
void Pattern::search(const Compiled& compiled, std::string_view text, const Found& found) {
  Search search(text.size());
  std::size_t last_end = std::string_view::npos;
  for (std::size_t from = 0; from <= text.size() && search.next(compiled.regex, text, from);) {
    from = search.end();
    if (search.begin() == search.end() && search.end() == last_end) {
      from = after_one_character(text, from);
      continue;
    }
    last_end = search.end();
    found(search.begin(), search.end());
  }
}

Pattern::Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Pattern Pattern::literal(std::string text) {
  Pattern pattern;
  pattern.literal_ = std::move(text);
  return pattern;
}

Pattern Pattern::regex(const std::string& expression, const std::string& shown) {
  // Compiling is not thread-safe in all of Oniguruma's versions.
  static std::mutex compiling;
  const std::lock_guard lock(compiling);
  if (expression.size() > longest_expression)
    throw Error(RH_MODEL_INVALID, fmt::format("{}: is {} bytes long, expected at most {}", shown,
                                              expression.size(), longest_expression));
  OnigEncoding encodings[] = {ONIG_ENCODING_UTF8};
  onig_initialize(encodings, 1);
  Pattern pattern;
  pattern.expression_ = expression;
  pattern.compiled_ = std::make_unique<Compiled>();
  OnigErrorInfo info{};
  const OnigUChar* const begin = onig_bytes(expression);
  const int code = onig_new(&pattern.compiled_->regex, begin, begin + expression.size(), ONIG_OPTION_NONE,
                            ONIG_ENCODING_UTF8, ONIG_SYNTAX_DEFAULT, &info);
  if (code != ONIG_NORMAL)
    throw Error(RH_MODEL_INVALID,
                fmt::format("{}: {} is not a regular expression that Oniguruma understands: {}", shown,
                            in_quotes(expression), onig_reason(code, &info)));
  return pattern;
}

Pattern Pattern::read(const StageConfig& component) {
  const auto field = component.object("pattern");
  if (!field) component.fail("pattern", "is missing, expected {\"String\": ...} or {\"Regex\": ...}");
  if (field->has("Regex")) return regex(field->text("Regex"), field->shown() + ": Regex");
  return literal(field->text("String"));
}

std::vector<PatternPart> Pattern::parts(std::string_view text) const {
  std::vector<PatternPart> parts;
  std::size_t done = 0;
  const auto add = [&](std::size_t begin, std::size_t end) {
    if (done < begin) parts.push_back({done, begin, false});
    parts.push_back({begin, end, true});
    done = end;
  };
  if (text.empty()) return parts;
  if (compiled_)
    search(*compiled_, text, add);
  else if (!literal_.empty())
    for (std::size_t at = 0; (at = text.find(literal_, done)) != std::string_view::npos;)
      add(at, at + literal_.size());
  if (done < text.size()) parts.push_back({done, text.size(), false});
  return parts;
}

std::string Pattern::replace(std::string_view text, std::string_view by, std::size_t most) const {
  std::string replaced;
  replaced.reserve(text.size());
  for (const auto& part : parts(text)) {
    replaced += part.match ? by : text.substr(part.begin, part.end - part.begin);
    if (replaced.size() > most)
      throw Error(RH_INVALID_ARGUMENT,
                  fmt::format("text: the tokenizer's normalizer makes more than {} bytes of it", most));
  }
  return replaced;
}

}  // namespace engines
