// SPDX-License-Identifier: Apache-2.0
#include "host/worker/convert_protocol.h"

#include "host/worker/message_json.h"

namespace roundhouse::host {

using Json = nlohmann::json;

static void to_json(Json& json, const ConvertedTensor& tensor) {
  json = Json::array({tensor.file, tensor.name, tensor.from, tensor.to, tensor.shape, tensor.size_bytes,
                      tensor.elements, tensor.squares, tensor.squares_of_errors});
}
static void from_json(const Json& json, ConvertedTensor& tensor) {
  tensor = {json.at(0).get<std::string>(),
            json.at(1).get<std::string>(),
            json.at(2).get<std::string>(),
            json.at(3).get<std::string>(),
            json.at(4).get<std::vector<std::uint64_t>>(),
            json.at(5).get<std::uint64_t>(),
            json.at(6).get<std::uint64_t>(),
            json.at(7).get<double>(),
            json.at(8).get<double>()};
}

std::string encode(const ConvertTask& job) {
  return message_text({{"source", job.source.string()},
                       {"target", job.target.string()},
                       {"type", job.type},
                       {"format", job.format},
                       {"options", job.options}});
}

template <>
ConvertTask decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    return ConvertTask{member<std::string>(json, "source"), member<std::string>(json, "target"),
                       member<std::string>(json, "type"), member<std::string>(json, "format"),
                       member<std::vector<EngineOption>>(json, "options")};
  });
}

std::string encode(const ConvertEvent& event) {
  return message_text({{"file", event.file},
                       {"tensor", event.tensor},
                       {"done_bytes", event.done_bytes},
                       {"total_bytes", event.total_bytes}});
}

template <>
ConvertEvent decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    return ConvertEvent{member<std::string>(json, "file"), member<std::string>(json, "tensor"),
                        member<std::uint64_t>(json, "done_bytes"),
                        member<std::uint64_t>(json, "total_bytes")};
  });
}

std::string encode(const ConvertResult& result) {
  return message_text({{"peak_memory_bytes", result.peak_memory_bytes}});
}

template <>
ConvertResult decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    return ConvertResult{{}, member<std::uint64_t>(json, "peak_memory_bytes")};
  });
}

std::vector<std::uint8_t> encode_tensors(const std::vector<ConvertedTensor>& tensors) {
  const std::string text = message_text(tensors);
  return {text.begin(), text.end()};
}

std::vector<ConvertedTensor> decode_tensors(const std::vector<std::uint8_t>& payload) {
  return read_message(payload, [](const Json& json) { return json.get<std::vector<ConvertedTensor>>(); });
}

}  // namespace roundhouse::host
