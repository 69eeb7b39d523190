// SPDX-License-Identifier: Apache-2.0
#include "host/worker/ops/tokenize.h"

#include <fmt/format.h>

#include <cstring>

#include "host/worker/frame.h"
#include "host/worker/message_json.h"
#include "roundhouse/ext/draft/tokenize.h"

namespace roundhouse::host {
namespace {

constexpr std::uint64_t kLongestText = std::uint64_t{64} << 20;
// For a tokenizer that makes more ids than there are bytes, such as those around a text.
constexpr std::uint64_t kMostIds = 4 * kLongestText;

std::vector<std::int32_t> ids_in(const std::vector<std::uint8_t>& payload) {
  if (payload.size() % sizeof(std::int32_t) != 0)
    throw FrameError(fmt::format("ids are {} bytes, not a multiple of 4", payload.size()));
  std::vector<std::int32_t> ids(payload.size() / sizeof(std::int32_t));
  if (!ids.empty()) std::memcpy(ids.data(), payload.data(), payload.size());
  return ids;
}

}  // namespace

// ---- host ----

std::vector<std::int32_t> tokenize(EngineClient& client, const TokenizeTask& task, const std::string& text) {
  if (text.size() > kLongestText)
    throw Error(RH_INVALID_ARGUMENT,
                fmt::format("text: {} bytes, expected at most {}", text.size(), kLongestText));
  std::vector<std::int32_t> ids;
  client.call({.operation = "tokenize",
               .request = {encode(task), {text.begin(), text.end()}},
               .maximum_answer = kMostIds * sizeof(std::int32_t),
               .private_texts = {text},
               .answer = [&](Message& answer) { ids = ids_in(answer.payload); }});
  return ids;
}

// ---- worker ----

Message work_tokenize(LoadedEngine& engine, const Message& request, CallContext& /*call*/) {
  const auto task = decode<TokenizeTask>(request.json);
  const Plugin::Engine& loaded = engine.engine();
  const auto& extension = loaded.extension<rh_tokenize>(RH_TOKENIZE_ID);
  const std::string directory = task.directory.string();
  const char* const text = reinterpret_cast<const char*>(request.payload.data());
  std::vector<std::int32_t> ids(request.payload.size() + 64);
  std::uint64_t count = 0;
  const auto ask = [&] {
    loaded
        .call("encode",
              [&](rh_engine* raw, rh_error* error) {
                return extension.encode(raw, directory.c_str(), text, request.payload.size(),
                                        task.add_special ? 1 : 0, ids.data(), ids.size(), &count, error);
              })
        .check();
    if (count > kMostIds) throw Error(RH_ENGINE_BROKEN, fmt::format("encode gave {} ids", count));
  };
  ask();
  if (count > ids.size()) {
    ids.resize(count);
    ask();
    if (count > ids.size()) throw Error(RH_ENGINE_BROKEN, "encode gave more ids when it was asked again");
  }
  Message answer{"{}", std::vector<std::uint8_t>(count * sizeof(std::int32_t))};
  if (count > 0) std::memcpy(answer.payload.data(), ids.data(), answer.payload.size());
  return answer;
}

// ---- messages ----

std::string encode(const TokenizeTask& task) {
  return message_text({{"directory", task.directory.string()}, {"add_special", task.add_special}});
}

template <>
TokenizeTask decode(const std::string& text) {
  return read_message(text, [](const nlohmann::json& json) {
    return TokenizeTask{member<std::string>(json, "directory"), member<bool>(json, "add_special")};
  });
}

}  // namespace roundhouse::host
