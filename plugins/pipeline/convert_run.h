// SPDX-License-Identifier: Apache-2.0
// Carries the reports of a conversion to the host's sink.
#pragma once

#include <string>
#include <vector>

#include "engines/convert/conversion.h"
#include "roundhouse/convert.hpp"

namespace roundhouse::pipeline {

class ConvertRun : public engines::conversion::ConversionRun {
 public:
  explicit ConvertRun(ConvertSink& sink) : sink_(sink) {}

  bool cancelled() override { return sink_.cancelled(); }
  void progress(const std::string& file, const std::string& tensor, std::uint64_t done,
                std::uint64_t total) override {
    sink_.progress(file, tensor, done, total);
  }
  void tensor(const engines::conversion::TensorReport& report) override {
    const std::vector<std::uint64_t> shape(report.shape.begin(), report.shape.end());
    std::uint64_t elements = 1;
    for (const std::uint64_t side : shape)
      elements *= side;
    sink_.tensor({report.file, report.name, std::string(engines::name_of(report.from)),
                  std::string(engines::name_of(report.to)), shape, report.bytes, elements, report.squares,
                  report.squares_of_errors});
  }

 private:
  ConvertSink& sink_;
};

}  // namespace roundhouse::pipeline
