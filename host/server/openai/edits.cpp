// SPDX-License-Identifier: Apache-2.0
// Images from images. Requests are read to the end, so that a client learns of its own mistakes first.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "host/server/http/http_error.h"
#include "host/server/http/multipart.h"
#include "host/server/image_to_image.h"
#include "host/server/openai/failure.h"
#include "host/server/openai/image_request.h"
#include "host/server/openai/images.h"
#include "host/server/openai/models.h"

namespace roundhouse::host::openai {
namespace {

constexpr http::RouteOptions kForms{std::uint64_t{64} << 20, false, false};
constexpr std::size_t kMostImages = 16;
// Fields that are no text, although a form has nothing else.
constexpr std::array<std::string_view, 10> kValues{
    "n",    "stream",   "partial_images",    "output_compression", "steps",
    "seed", "guidance", "cfg_normalization", "cfg_truncation",     "keep_alive",
};

struct Form {
  nlohmann::json fields = nlohmann::json::object();
  std::vector<std::string_view> images;
  bool mask = false;
};

bool is_value(const std::string& name) {
  return std::find(kValues.begin(), kValues.end(), name) != kValues.end();
}

void take_part(Form& form, const http::Part& part) {
  if (part.name == "image" || part.name == "image[]") {
    check_image_kind(part.body, "image");
    form.images.push_back(part.body);
  } else if (part.name == "mask") {
    check_image_kind(part.body, "mask");
    form.mask = true;
  } else {
    const std::string text(part.body);
    const auto value = is_value(part.name) ? nlohmann::json::parse(text, nullptr, false) : nlohmann::json();
    form.fields[part.name] =
        value.is_primitive() && !value.is_null() && !value.is_discarded() ? value : nlohmann::json(text);
  }
}

Form read_form(const http::Request& request) {
  Form form;
  const std::string_view type = request.headers.find("Content-Type").value_or("");
  for (const http::Part& part : http::parse_multipart(type, request.body))
    take_part(form, part);
  if (form.images.empty()) throw Error(RH_INVALID_ARGUMENT, "image: is missing, expected a file");
  if (form.images.size() > kMostImages) {
    throw Error(RH_INVALID_ARGUMENT,
                fmt::format("image: {} are too many, expected at most {}", form.images.size(), kMostImages));
  }
  return form;
}

void edit(const Services& services, http::Exchange& exchange, bool with_prompt) {
  Form form = read_form(exchange.request());
  if (!with_prompt) form.fields["prompt"] = "a variation";  // the image itself is what is asked for
  const ModelCatalogue catalogue = services.models();
  const ImageRequest image = read_image_request(
      JsonFields(std::move(form.fields)), [&](const std::string& name) { return is_model(catalogue, name); });
  refuse_image_to_image(services, image.request, form.mask);
}

}  // namespace

void add_edit_routes(http::Router& router, const Services& services) {
  router.add("POST", "/v1/images/edits", kForms,
             with_retry_advice([&](http::Exchange& exchange) { edit(services, exchange, true); }));
  router.add("POST", "/v1/images/variations", kForms,
             with_retry_advice([&](http::Exchange& exchange) { edit(services, exchange, false); }));
}

}  // namespace roundhouse::host::openai
