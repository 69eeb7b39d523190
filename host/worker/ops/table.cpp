// SPDX-License-Identifier: Apache-2.0
// The table.
#include "host/worker/ops/table.h"

#include <algorithm>
#include <array>

#include "host/worker/engine_error.h"
#include "host/worker/ops/bench.h"
#include "host/worker/ops/convert.h"
#include "host/worker/ops/embed.h"
#include "host/worker/ops/estimate.h"
#include "host/worker/ops/image.h"
#include "host/worker/ops/inspect.h"
#include "host/worker/ops/load.h"
#include "host/worker/ops/probe.h"
#include "host/worker/ops/rates.h"
#include "host/worker/ops/text.h"
#include "host/worker/ops/tokenize.h"
#include "host/worker/ops/trace.h"

namespace roundhouse::host {

std::span<const Operation> operations() {
  static constexpr std::array kTable{
      Operation{"probe", Access::engine, work_probe},       //
      Operation{"load", Access::engine, work_load},         //
      Operation{"generate", Access::model, work_generate},  //
      Operation{"text", Access::model, work_text},          //
      Operation{"render", Access::model, work_render},      //
      Operation{"embed", Access::model, work_embed},
      Operation{"estimate", Access::engine, work_estimate},
      Operation{"convert", Access::engine, work_convert},
      Operation{"bench", Access::engine, work_bench},
      Operation{"rates", Access::engine, work_rates},
      Operation{"inspect", Access::engine, work_inspect},
      Operation{"tokenize", Access::engine, work_tokenize},
      Operation{"trace", Access::engine, work_trace},
  };
  return kTable;
}

const Operation* find_operation(std::span<const Operation> table, std::string_view name) {
  const auto found = std::ranges::find(table, name, &Operation::name);
  return found == table.end() ? nullptr : &*found;
}

Message run_operation(const Operation& operation, LoadedEngine& engine, const Message& request,
                      CallContext& call) {
  return with_named_errors(engine.id(), std::string(operation.name),
                           [&] { return operation.work(engine, request, call); });
}

}  // namespace roundhouse::host
