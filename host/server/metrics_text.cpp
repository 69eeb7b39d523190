// SPDX-License-Identifier: Apache-2.0
// Names, labels, values and escapes.
#include "host/server/metrics_text.h"

#include <charconv>
#include <cmath>

namespace roundhouse::host {
namespace {

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\' || c == '"') result += '\\';
    result += c == '\n' ? "\\n" : std::string(1, c);
  }
  return result;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

}  // namespace

void MetricsText::metric(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_ += "# HELP " + name_ + " " + std::string(help) + "\n# TYPE " + name_ + " " + std::string(type) + "\n";
}

void MetricsText::sample(const Labels& labels, double value, std::string_view suffix) {
  text_ += name_ + std::string(suffix);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    text_ += (i == 0 ? "{" : ",") + std::string(labels[i].first) + "=\"" + escaped(labels[i].second) + "\"";
  }
  text_ += (labels.empty() ? " " : "} ") + number(value) + "\n";
}

void MetricsText::single(std::string_view name, std::string_view type, std::string_view help, double value) {
  metric(name, type, help);
  sample({}, value);
}

}  // namespace roundhouse::host
