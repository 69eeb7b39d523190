// SPDX-License-Identifier: Apache-2.0
#include "host/transport/http.h"

#include <algorithm>
#include <charconv>

namespace roundhouse::host {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

HttpHeaders::HttpHeaders(std::initializer_list<std::pair<std::string, std::string>> fields)
    : fields_(fields) {
}

const std::string* HttpHeaders::find(std::string_view name) const {
  for (const auto& field : fields_) {
    if (same_name(field.first, name)) return &field.second;
  }
  return nullptr;
}

std::string HttpHeaders::get(std::string_view name) const {
  const std::string* value = find(name);
  return value == nullptr ? "" : *value;
}

std::vector<std::string> HttpHeaders::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& field : fields_) {
    if (same_name(field.first, name)) values.push_back(field.second);
  }
  return values;
}

void HttpHeaders::set(const std::string& name, const std::string& value) {
  remove(name);
  add(name, value);
}

void HttpHeaders::add(const std::string& name, const std::string& value) {
  fields_.emplace_back(name, value);
}

void HttpHeaders::remove(std::string_view name) {
  std::erase_if(fields_, [&](const auto& field) { return same_name(field.first, name); });
}

std::optional<std::uint64_t> HttpResponse::content_length() const {
  const std::string* text = headers.find("Content-Length");
  if (text == nullptr) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return value;
}

}  // namespace roundhouse::host
