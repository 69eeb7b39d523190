// SPDX-License-Identifier: Apache-2.0
#include "host/app/app_context.h"

namespace roundhouse::host {

std::string AppContext::tool() const {
  return "roundhouse " + version;
}

HttpOptions AppContext::http() const {
  HttpOptions options;
  options.user_agent = "roundhouse/" + version;
  options.proxies = ProxyRules::from(environment);
  options.cancelled = [&flag = cancelled] { return flag.load(); };
  return options;
}

}  // namespace roundhouse::host
