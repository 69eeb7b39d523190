// SPDX-License-Identifier: Apache-2.0
// The text format of Prometheus, version 0.0.4.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace roundhouse::host {

class MetricsText {
 public:
  using Labels = std::vector<std::pair<std::string_view, std::string>>;

  // Begins a metric. `type`: counter, gauge or histogram.
  void metric(std::string_view name, std::string_view type, std::string_view help);
  // A sample of the metric that was begun last; `suffix` follows its name.
  void sample(const Labels& labels, double value, std::string_view suffix = "");
  // A metric with one sample.
  void single(std::string_view name, std::string_view type, std::string_view help, double value);

  const std::string& text() const { return text_; }

 private:
  std::string name_, text_;
};

}  // namespace roundhouse::host
