// SPDX-License-Identifier: Apache-2.0
// One POST /generate at work: its record, its stream, its answer.
#pragma once

#include "host/server/generation.h"
#include "host/server/native/generate_request.h"
#include "host/server/native/progress_table.h"

namespace roundhouse::host {

class ImageJob {
 public:
  // All must outlive it.
  ImageJob(const Services& services, ProgressTable& table, http::Exchange& exchange);

  // Answers the exchange, or throws an Error that is the answer. The record ends either way.
  void run();

 private:
  void make();
  GenerationEvents events();
  void on_step(const StepEvent& event);
  void on_preview(const PreviewEvent& event);
  void tell(const StepEvent* step = nullptr);  // a line with the record, where the client wants a stream
  void advance(double progress, const std::string& message, const StepEvent* step = nullptr);
  nlohmann::ordered_json result(const Generation& generation) const;
  nlohmann::ordered_json file_json(const Image& image, const ImageMetadata& record) const;
  void write(const nlohmann::ordered_json& line);

  const Services& services_;
  ProgressTable& table_;
  http::Exchange& exchange_;
  NativeRequest native_;
  http::Stream* stream_ = nullptr;
};

}  // namespace roundhouse::host
