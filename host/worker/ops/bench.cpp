// SPDX-License-Identifier: Apache-2.0
#include "host/worker/ops/bench.h"

#include <fmt/format.h>

#include <cmath>

#include "host/worker/message_json.h"
#include "roundhouse/ext/draft/bench.h"

namespace roundhouse::host {

using Json = nlohmann::json;

// ---- host ----

double matrix_rate(EngineClient& client, const BenchTask& task) {
  double rate = 0;
  client.call({.operation = "bench", .request = {encode(task)}, .answer = [&](Message& answer) {
                 rate = decode<double>(answer.json);
               }});
  return rate;
}

// ---- worker ----

Message work_bench(LoadedEngine& engine, const Message& request, CallContext& /*call*/) {
  const auto task = decode<BenchTask>(request.json);
  const Plugin::Engine& loaded = engine.engine();
  const auto& bench = loaded.extension<rh_bench>(RH_BENCH_ID);
  const char* product = task.product.empty() ? nullptr : task.product.c_str();
  double rate = 0;
  loaded
      .call("matrix_rate",
            [&](rh_engine* raw, rh_error* error) {
              return bench.matrix_rate(raw, product, task.m, task.n, task.k, task.seconds, &rate, error);
            })
      .check();
  if (!std::isfinite(rate) || rate <= 0) {
    throw Error(RH_ENGINE_BROKEN, fmt::format("matrix_rate gave {} FLOP/s", rate));
  }
  return {encode(rate)};
}

// ---- messages ----

std::string encode(const BenchTask& task) {
  return message_text(
      {{"product", task.product}, {"m", task.m}, {"n", task.n}, {"k", task.k}, {"seconds", task.seconds}});
}

template <>
BenchTask decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    return BenchTask{member<std::string>(json, "product"), member<std::uint32_t>(json, "m"),
                     member<std::uint32_t>(json, "n"), member<std::uint32_t>(json, "k"),
                     member<double>(json, "seconds")};
  });
}

std::string encode(double rate) {
  return message_text({{"rate", rate}});
}

template <>
double decode(const std::string& text) {
  return read_message(text, [](const Json& json) { return member<double>(json, "rate"); });
}

}  // namespace roundhouse::host
