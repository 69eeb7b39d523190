// SPDX-License-Identifier: Apache-2.0
// What host and worker say to each other about a conversion.
#pragma once

#include <string>
#include <vector>

#include "host/task/convert_task.h"
#include "host/worker/protocol.h"

namespace roundhouse::host {

// The longest payload of an answer: the tensors of the greatest models take a few hundred kilobytes.
inline constexpr std::uint64_t kMaximumTensorListBytes = std::uint64_t{64} << 20;

std::string encode(const ConvertTask& job);
std::string encode(const ConvertEvent& event);
std::string encode(const ConvertResult& result);  // without the tensors: they are the payload
std::vector<std::uint8_t> encode_tensors(const std::vector<ConvertedTensor>& tensors);

template <>
ConvertTask decode(const std::string& json);
template <>
ConvertEvent decode(const std::string& json);
template <>
ConvertResult decode(const std::string& json);
// Throws FrameError as decode does.
std::vector<ConvertedTensor> decode_tensors(const std::vector<std::uint8_t>& payload);

}  // namespace roundhouse::host
