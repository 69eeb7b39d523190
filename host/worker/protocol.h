// SPDX-License-Identifier: Apache-2.0
// What host and worker say to each other: the JSON of each frame as a struct.
#pragma once

#include <cstdint>
#include <string>

#include "host/worker/engine_client.h"

namespace roundhouse::host {

// probe: everything that a worker has to know of its engine. Sent before any other request.
struct ProbeMessage {
  EngineManifest manifest;
  std::uint32_t threads = 1;
  std::string device;
  std::vector<EngineOption> options;
};
struct EstimateMessage {
  ModelSource model;
  ImageTask job;
};
struct RateMessage {
  std::string product;  // empty = the engine's first
  std::uint32_t m = 0, n = 0, k = 0;
  double seconds = 0;
};
struct LogMessage {
  std::uint32_t level = 0;
  std::string category, message;
};

// Text of one frame. Broken UTF-8 from an engine is replaced, never refused.
std::string encode(const ProbeMessage& message);
std::string encode(const ModelSource& job);
std::string encode(const EstimateMessage& message);
std::string encode(const ImageTask& job);
std::string encode(const RateMessage& message);
std::string encode(const LogMessage& message);
std::string encode(const EngineReport& report);
std::string encode(const OpenResult& result);
std::string encode(const ImageResult& result);  // without the samples: they are the payload
std::string encode(const Estimate& estimate);
std::string encode(const ProgressEvent& event);
std::string encode(const PreviewEvent& event);  // without the samples, likewise
std::string encode(const Error& error);
std::string encode(double rate);

// The reverse. Throws FrameError for anything that `encode` does not write.
template <typename Message>
Message decode(const std::string& json);
template <>
ProbeMessage decode(const std::string& json);
template <>
ModelSource decode(const std::string& json);
template <>
EstimateMessage decode(const std::string& json);
template <>
ImageTask decode(const std::string& json);
template <>
RateMessage decode(const std::string& json);
template <>
LogMessage decode(const std::string& json);
template <>
EngineReport decode(const std::string& json);
template <>
OpenResult decode(const std::string& json);
template <>
ImageResult decode(const std::string& json);
template <>
Estimate decode(const std::string& json);
template <>
ProgressEvent decode(const std::string& json);
template <>
PreviewEvent decode(const std::string& json);
template <>
Error decode(const std::string& json);
template <>
double decode(const std::string& json);

}  // namespace roundhouse::host
