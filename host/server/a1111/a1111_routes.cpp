// SPDX-License-Identifier: Apache-2.0
#include "host/server/a1111/a1111_routes.h"

#include "host/server/a1111/image_routes.h"
#include "host/server/a1111/jobs.h"
#include "host/server/a1111/listings.h"
#include "host/server/a1111/settings.h"
#include "host/text/json_text.h"

namespace roundhouse::host {
namespace {

std::string failure(const http::Request& /*request*/, const Error& error, int /*status*/) {
  const nlohmann::ordered_json json{{"error", status_name(error.code())},
                                    {"detail", error.what()},
                                    {"body", ""},
                                    {"errors", error.what()},
                                    {"hint", error.hint()}};
  return json_text(json);
}

}  // namespace

void add_a1111_routes(http::Router& router, const Services& services) {
  router.add({"a1111", "/sdapi/", failure});
  const auto settings = std::make_shared<a1111::Settings>();
  const auto jobs = std::make_shared<a1111::Jobs>();
  a1111::add_listing_routes(router, services);
  a1111::add_settings_routes(router, services, settings);
  a1111::add_job_routes(router, jobs);
  a1111::add_image_routes(router, services, settings, jobs);
}

}  // namespace roundhouse::host
