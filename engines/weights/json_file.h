// SPDX-License-Identifier: Apache-2.0
// JSON from files that nobody vouches for: size and depth are limited, and a key may come only once.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/tensor/error.h"

namespace engines {

constexpr std::size_t json_depth_limit = 64;

// The path in messages: the file with the folder that it lies in ("transformer/config.json").
std::string shown_path(const std::filesystem::path& file);

// The whole file. `shown` names it in messages. WEIGHTS_MISSING when there is no such file, IO_ERROR when it
// cannot be read, MODEL_INVALID when it is no regular file or larger than `most` bytes.
std::string read_file(const std::filesystem::path& file, const std::string& shown, std::size_t most);

// A value for a message: one line, at most 80 bytes or so, always valid UTF-8; strings in single quotes.
std::string brief(const nlohmann::json& value);
std::string in_quotes(std::string_view text);

// Builds a tree out of SAX events; derived classes may divert parts of the document elsewhere. `Json` is
// nlohmann::json, or nlohmann::ordered_json where the order of keys matters.
template <class Json>
class JsonTreeBuilder {
 public:
  using number_integer_t = typename Json::number_integer_t;
  using number_unsigned_t = typename Json::number_unsigned_t;
  using number_float_t = typename Json::number_float_t;
  using string_t = typename Json::string_t;
  using binary_t = typename Json::binary_t;

  explicit JsonTreeBuilder(std::string shown) : shown_(std::move(shown)) {}
  Json take() { return std::move(root_); }

  bool null() { return add(Json(nullptr)) != nullptr; }
  bool boolean(bool value) { return add(Json(value)) != nullptr; }
  bool number_integer(number_integer_t value) { return add(Json(value)) != nullptr; }
  bool number_unsigned(number_unsigned_t value) { return add(Json(value)) != nullptr; }
  bool number_float(number_float_t value, const string_t&) { return add(Json(value)) != nullptr; }
  bool string(string_t& value) { return add(Json(std::move(value))) != nullptr; }
  bool binary(binary_t&) { return false; }  // JSON text has no binary values
  bool start_object(std::size_t) { return open(Json::object()); }
  bool start_array(std::size_t) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(string_t& name) {
    const auto [place, fresh] = open_.back()->emplace(std::move(name), nullptr);
    if (!fresh) fail("the key " + in_quotes(place.key()) + " comes twice");
    slot_ = &*place;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
    fail(fmt::format("is not valid JSON (at byte {})", position));
    return false;
  }

 protected:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(RH_MODEL_INVALID, shown_ + ": " + what);
  }
  std::size_t depth() const { return open_.size(); }
  const std::string& shown() const { return shown_; }

 private:
  Json* add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (open_.back()->is_array()) return &open_.back()->emplace_back(std::move(value));
    *slot_ = std::move(value);
    return slot_;
  }

  bool open(Json container) {
    if (open_.size() >= json_depth_limit)
      fail(fmt::format("is nested deeper than {} levels", json_depth_limit));
    open_.push_back(add(std::move(container)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  std::string shown_;
  Json root_;
  std::vector<Json*> open_;  // containers from the root to the current one
  Json* slot_ = nullptr;     // where the value of the last key goes
};

// MODEL_INVALID when the text is not one JSON document within the limits.
template <class Json = nlohmann::json>
Json parse_json(std::string_view text, const std::string& shown) {
  JsonTreeBuilder<Json> builder(shown);
  Json::sax_parse(text.data(), text.data() + text.size(), &builder);
  return builder.take();
}

}  // namespace engines
