// SPDX-License-Identifier: Apache-2.0
#include "host/transport/proxy.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "host/transport/base64.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr unsigned kByteBits = 8;

std::string small_letters(std::string text) {
  for (char& c : text)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

struct Variable {
  std::string name, value;
};

// The first of them that is set to something.
std::optional<Variable> first_variable(const ProxyRules::Environment& environment,
                                       const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (auto value = environment(name); value && !value->empty()) return Variable{name, *value};
  }
  return std::nullopt;
}

int hex_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string percent_decoded(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_of(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_of(text[i + 2]) : -1;
    plain += low >= 0 ? static_cast<char>(high * 16 + low) : text[i];
    if (low >= 0) i += 2;
  }
  return plain;
}

Proxy parse_proxy(const Variable& variable) {
  const auto refuse = [&](const std::string& what) {
    throw Error(RH_INVALID_ARGUMENT,
                fmt::format("{}: {}, expected http://[USER:PASSWORD@]HOST[:PORT]", variable.name, what));
  };
  std::string text = variable.value, scheme = "http";
  if (const auto end = text.find("://"); end != std::string::npos) {
    scheme = small_letters(text.substr(0, end));
    text.erase(0, end + 3);
  }
  if (scheme != "http") refuse("a proxy of scheme '" + scheme.substr(0, 20) + "' is not supported");
  text.resize(std::min(text.size(), text.find_first_of("/?#")));
  std::optional<std::string> authorization;
  if (const auto at = text.rfind('@'); at != std::string::npos) {
    authorization = "Basic " + base64_encoded(percent_decoded(text.substr(0, at)));
    text.erase(0, at + 1);
  }
  try {
    return {Url::parse("http://" + text + "/"), authorization};
  } catch (const Error&) {
    refuse("is not the address of a proxy");
    throw;
  }
}

std::vector<std::uint8_t> address_bytes(const std::string& text) {
  std::vector<std::uint8_t> bytes(16);
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  if (::inet_pton(AF_INET, text.c_str(), bytes.data()) != 1) return {};
  bytes.resize(4);
  return bytes;
}

template <class Number>
std::optional<Number> whole_number(const std::string& text) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stopped == end ? std::optional(number) : std::nullopt;
}

}  // namespace

// None for what means nothing.
std::optional<ProxyRules::Exception> ProxyRules::parse_exception(std::string text) {
  text = small_letters(std::move(text));
  Exception exception;
  std::string prefix;
  if (const auto slash = text.find('/'); slash != std::string::npos) {
    prefix = text.substr(slash + 1);
    text.resize(slash);
  }
  const bool bracketed = text.starts_with('[');
  const auto colon = text.rfind(':');
  const bool one_colon = colon != std::string::npos && text.find(':') == colon;
  if (one_colon || (bracketed && colon != std::string::npos && text[colon - 1] == ']')) {
    exception.port = whole_number<std::uint16_t>(text.substr(colon + 1));
    if (!exception.port) return std::nullopt;
    text.resize(colon);
  }
  if (bracketed && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  exception.network = address_bytes(text);
  if (!exception.network.empty()) {
    const auto all = static_cast<unsigned>(exception.network.size()) * kByteBits;
    const auto bits = prefix.empty() ? std::optional(all) : whole_number<unsigned>(prefix);
    if (!bits || *bits > all) return std::nullopt;
    exception.bits = *bits;
    return exception;
  }
  if (text.starts_with('*')) text.erase(0, 1);
  while (text.starts_with('.'))
    text.erase(0, 1);
  exception.name = text;
  return text.empty() || !prefix.empty() ? std::nullopt : std::optional(exception);
}

bool ProxyRules::matches(const Exception& exception, const Url& url) {
  if (exception.port && *exception.port != url.port()) return false;
  if (!exception.name.empty()) {
    const std::string& host = url.host();
    return host == exception.name || host.ends_with("." + exception.name);
  }
  const auto address = url.numeric_host() ? address_bytes(url.host()) : std::vector<std::uint8_t>();
  if (address.size() != exception.network.size()) return false;
  for (unsigned bit = 0; bit < exception.bits; ++bit) {
    const unsigned mask = 0x80U >> bit % kByteBits;
    if ((address[bit / kByteBits] & mask) != (exception.network[bit / kByteBits] & mask)) return false;
  }
  return true;
}

ProxyRules ProxyRules::from(const Environment& environment) {
  ProxyRules rules;
  if (const auto found =
          first_variable(environment, {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}))
    rules.https_ = parse_proxy(*found);
  if (const auto found = first_variable(environment, {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}))
    rules.http_ = parse_proxy(*found);
  const auto listed = first_variable(environment, {"no_proxy", "NO_PROXY"});
  std::string entry;
  for (const char c : listed ? listed->value + "," : "") {
    if (c != ',' && c != ' ' && c != '\t' && c != '\n') {
      entry += c;
      continue;
    }
    rules.never_ = rules.never_ || entry == "*";
    if (auto exception = parse_exception(std::exchange(entry, "")))
      rules.exceptions_.push_back(std::move(*exception));
  }
  return rules;
}

std::optional<Proxy> ProxyRules::find(const Url& url) const {
  const auto& proxy = url.secure() ? https_ : http_;
  if (!proxy || never_) return std::nullopt;
  const bool excepted =
      std::ranges::any_of(exceptions_, [&](const Exception& exception) { return matches(exception, url); });
  return excepted ? std::nullopt : proxy;
}

}  // namespace roundhouse::host
