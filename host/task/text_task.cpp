// SPDX-License-Identifier: Apache-2.0
#include "host/task/text_task.h"

namespace roundhouse::host {

std::string finish_name(Finish finish) {
  switch (finish) {
    case Finish::length:
      return "length";
    case Finish::tool_calls:
      return "tool_calls";
    default:
      return "stop";
  }
}

}  // namespace roundhouse::host
