// SPDX-License-Identifier: Apache-2.0
#include "host/server/a1111/listings.h"

#include <sys/sysinfo.h>

#include "host/images/read_image.h"
#include "host/server/a1111/infotext.h"
#include "host/server/a1111/names.h"
#include "host/server/image_to_image.h"
#include "host/server/json_fields.h"
#include "host/text/json_text.h"

namespace roundhouse::host::a1111 {
namespace {

using nlohmann::ordered_json;
using Listing = std::function<ordered_json(const Services&)>;

ordered_json samplers_json(const Services& services) {
  ordered_json list = ordered_json::array();
  for (const Method& method : samplers(*services.registry.snapshot())) {
    list.push_back(
        {{"name", method.title}, {"aliases", method.aliases}, {"options", ordered_json::object()}});
  }
  return list;
}

ordered_json schedulers_json(const Services& services) {
  const auto entry = [](const std::string& name, const std::string& label) {
    return ordered_json{{"name", name},
                        {"label", label},
                        {"aliases", nullptr},
                        {"default_rho", -1},
                        {"need_inner_model", false}};
  };
  ordered_json list = ordered_json::array({entry("automatic", "Automatic")});
  for (const Method& method : schedules(*services.registry.snapshot()))
    list.push_back(entry(method.name, method.title));
  return list;
}

ordered_json models_json(const Services& services) {
  ordered_json list = ordered_json::array();
  for (const auto& entry : services.models().entries()) {
    if (!entry.present || entry.problem) continue;
    list.push_back(
        {{"title", entry.spec.name},
         {"model_name", entry.spec.name},
         {"hash", nullptr},
         {"sha256", nullptr},
         {"filename", entry.spec.name + ".safetensors"},  // clients take its last part; where it lies is ours
         {"config", nullptr}});
  }
  return list;
}

ordered_json upscalers_json(const Services& /*services*/) {
  return ordered_json::array({{{"name", "None"},
                               {"model_name", nullptr},
                               {"model_path", nullptr},
                               {"model_url", nullptr},
                               {"scale", 4}}});
}

ordered_json memory_json(const Services& services) {
  struct sysinfo system {};
  sysinfo(&system);
  const std::uint64_t total = std::uint64_t{system.totalram} * system.mem_unit;
  // Other programs take memory too: what is free is not what is left of the whole without ours.
  const std::uint64_t free =
      std::min(total, std::uint64_t{system.freeram + system.bufferram} * system.mem_unit);
  const std::uint64_t used = services.pool.statistics().memory_resident_bytes;
  return {{"ram", {{"free", free}, {"used", used}, {"total", total}}},
          {"cuda", {{"error", "there is none"}}}};
}

ordered_json nothing(const Services& /*services*/) {
  return ordered_json::array();
}

void png_info(http::Exchange& exchange) {
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  if (!fields.has("image")) fields.refuse("image", "is missing, expected an image in base64");
  ordered_json items = ordered_json::object(), parameters = ordered_json::object();
  std::string info;
  const std::string bytes = decode_image_text(fields.value().at("image"), "image");
  for (const auto& [keyword, text] : read_image_texts(bytes, "image")) {
    items[keyword] = text;
    if (keyword == "parameters") info = text;
  }
  if (!info.empty()) {
    for (const auto& [key, value] : parse_infotext(info))
      parameters[key] = value;
  }
  exchange.send(200, http::kJson,
                json_text(ordered_json{{"info", info}, {"items", items}, {"parameters", parameters}}));
}

void add(http::Router& router, const Services& services, const std::string& name, const Listing& listing) {
  router.add("GET", "/sdapi/v1/" + name, {}, [&services, listing](http::Exchange& exchange) {
    exchange.send(200, http::kJson, json_text(listing(services)));
  });
}

}  // namespace

void add_listing_routes(http::Router& router, const Services& services) {
  add(router, services, "samplers", samplers_json);
  add(router, services, "schedulers", schedulers_json);
  add(router, services, "sd-models", models_json);
  add(router, services, "upscalers", upscalers_json);
  add(router, services, "memory", memory_json);
  for (const char* name : {"sd-vae", "loras", "latent-upscale-modes", "hypernetworks", "prompt-styles",
                           "sd-modules", "face-restorers", "realesrgan-models", "extensions", "script-info"})
    add(router, services, name, nothing);
  add(router, services, "embeddings", [](const Services&) {
    return ordered_json{{"loaded", ordered_json::object()}, {"skipped", ordered_json::object()}};
  });
  add(router, services, "scripts", [](const Services&) {
    return ordered_json{{"txt2img", ordered_json::array()}, {"img2img", ordered_json::array()}};
  });
  add(router, services, "cmd-flags", [](const Services&) {
    return ordered_json{{"api", true}, {"nowebui", true}};
  });
  // Models are looked for at every request.
  for (const char* name : {"refresh-checkpoints", "refresh-loras"}) {
    router.add("POST", std::string("/sdapi/v1/") + name, {},
               [](http::Exchange& exchange) { exchange.send(200, http::kJson, "{}"); });
  }
  router.add("POST", "/sdapi/v1/png-info", {std::uint64_t{64} << 20, false, false}, png_info);
}

}  // namespace roundhouse::host::a1111
