// SPDX-License-Identifier: Apache-2.0
// An image as /api/generate answers it: lines with how far it is, then one with the image.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "host/server/image_files.h"

namespace roundhouse::host::ollama {

class ImageAnswer {
 public:
  // `model` as the client wrote it. All must outlive it.
  ImageAnswer(const Services& services, http::Exchange& exchange, std::string model, bool stream,
              bool metadata);

  // Answers the exchange, or throws an Error that is the answer.
  void run(const GenerateRequest& request, std::optional<KeepAlive> keep_alive);

 private:
  using Json = nlohmann::ordered_json;
  Json line(bool done) const;
  void write(const Json& json);
  void on_step(const StepEvent& event);
  void on_image(const ImageFile& image);

  const Services& services_;
  http::Exchange& exchange_;
  const std::string model_;
  const bool wants_stream_, metadata_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  http::Stream* stream_ = nullptr;
  std::uint32_t steps_ = 0;
  std::int64_t load_nanoseconds_ = 0;  // until the engine had the model, waiting included
  double step_milliseconds_ = 0;
  Json result_;
};

}  // namespace roundhouse::host::ollama
