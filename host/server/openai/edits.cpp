// SPDX-License-Identifier: Apache-2.0
// Images from images.
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

// Fields that are no text, although a form has nothing else.
constexpr std::array<std::string_view, 11> kValues{
    "n",    "stream",   "partial_images",    "output_compression", "steps",      "strength",
    "seed", "guidance", "cfg_normalization", "cfg_truncation",     "keep_alive",
};

struct Form {
  nlohmann::json fields = nlohmann::json::object();
  std::vector<std::string_view> images;
  std::string_view mask;
};

bool is_value(const std::string& name) {
  return std::find(kValues.begin(), kValues.end(), name) != kValues.end();
}

void take_part(Form& form, const http::Part& part) {
  if (part.name == "image" || part.name == "image[]") {
    form.images.push_back(part.body);
  } else if (part.name == "mask") {
    form.mask = part.body;
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
  if (form.images.size() > 1) {
    throw Error(RH_CAPABILITY_UNSUPPORTED,
                fmt::format("image: {} images were sent, and no engine begins with more than one",
                            form.images.size()));
  }
  return form;
}

// As the API has it, what is transparent in the mask, or without one in the image, is drawn anew.
std::shared_ptr<const InitSource> init_of(const Form& form) {
  auto init =
      std::make_shared<InitSource>(read_init_image(form.images.front(), "image", MaskKind::transparent));
  if (!form.mask.empty()) read_mask(*init, form.mask, "mask", MaskKind::transparent);
  return init;
}

void edit(const Services& services, Shelf& shelf, http::Exchange& exchange, bool with_prompt) {
  Form form = read_form(exchange.request());
  auto init = init_of(form);
  if (!with_prompt) form.fields["prompt"] = "";
  const ModelCatalogue catalogue = services.models();
  const JsonFields fields(std::move(form.fields));
  ImageRequest image =
      read_image_request(fields, [&](const std::string& name) { return is_model(catalogue, name); });
  image.request.may_be_blank = !with_prompt;  // the image itself is what is asked for
  image.request.init = std::move(init);
  image.request.strength = fields.number("strength");
  answer_with_images(services, exchange, shelf, std::move(image), "image_edit");
}

}  // namespace

void add_edit_routes(http::Router& router, const Services& services, const std::shared_ptr<Shelf>& shelf) {
  for (const bool with_prompt : {true, false}) {
    router.add("POST", with_prompt ? "/v1/images/edits" : "/v1/images/variations", kWithImages,
               with_retry_advice([&services, shelf, with_prompt](http::Exchange& exchange) {
                 edit(services, *shelf, exchange, with_prompt);
               }));
  }
}

}  // namespace roundhouse::host::openai
