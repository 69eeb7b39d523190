// SPDX-License-Identifier: Apache-2.0
#include "host/server/native/store_routes.h"

#include <chrono>

#include "host/app/verify.h"
#include "host/server/json_fields.h"
#include "host/server/stored_models.h"
#include "host/server/use_cases.h"
#include "host/store/model_json.h"
#include "host/text/json_text.h"

namespace roundhouse::host {
namespace {

using StoreJson = nlohmann::ordered_json;

// Often enough for a bar that moves.
constexpr std::chrono::milliseconds kBetweenProgress{100};

StoreJson verified_json(const Verified& model) {
  StoreJson json;
  json["name"] = model.name;
  json["digest"] = model.digest ? StoreJson(model.digest->text()) : StoreJson();
  json["sound"] = model.damages.empty();
  json["damages"] = StoreJson::array();
  for (const Damage& damage : model.damages)
    json["damages"].push_back(damage_json(damage));
  return json;
}

// One request to /verify. A damaged model is what was asked for, not a failure.
class Verification {
 public:
  Verification(const Services& services, http::Exchange& exchange)
      : services_(services), exchange_(exchange) {}

  void run() {
    const JsonFields fields = JsonFields::parse(exchange_.request().body, true);
    const AppContext context = context_of(services_, exchange_);
    const auto name = fields.text("model");
    const bool stream = fields.boolean("stream", false);
    if (name) require_stored(services_, ModelName::parse(*name));  // refused before the stream begins
    if (stream) stream_ = &exchange_.begin(200, http::kNdjson);
    const auto progress = [this](const std::string&) {
      return [this](const StoreProgress& at) { on_progress(at); };
    };
    const auto seen = [this](const Verified& model) { add(model); };
    context.store().list();  // a damaged index is no empty store
    verify_stored(context, name ? std::vector{*name} : visible_stored(services_), progress, seen);
    finish();
  }

 private:
  void on_progress(const StoreProgress& at) {
    if (exchange_.cancelled()) throw Error(RH_CANCELLED, "cancelled while verifying '" + at.what + "'");
    const auto now = std::chrono::steady_clock::now();
    if (stream_ == nullptr || now - told_ < kBetweenProgress) return;
    told_ = now;
    write({{"event", "progress"}, {"file", at.what}, {"done", at.done}, {"total", at.total}});
  }

  void add(const Verified& model) {
    result_["sound"] = result_["sound"].get<bool>() && model.damages.empty();
    result_["models"].push_back(verified_json(model));
  }

  void finish() {
    if (stream_ == nullptr) return exchange_.send(200, http::kJson, json_text(result_) + "\n");
    StoreJson line = {{"event", "result"}};
    line.update(result_);
    write(line);
  }

  void write(const StoreJson& line) {
    if (stream_->write(json_text(line) + "\n")) return;
    throw Error(RH_CANCELLED, "the client left");
  }

  const Services& services_;
  http::Exchange& exchange_;
  http::Stream* stream_ = nullptr;
  std::chrono::steady_clock::time_point told_;
  StoreJson result_ = {{"success", true}, {"sound", true}, {"models", StoreJson::array()}};
};

// Counts where the command has paths: a client shall not learn what lies where on this machine.
void collect(const Services& services, http::Exchange& exchange) {
  const bool dry_run = JsonFields::parse(exchange.request().body, true).boolean("dry_run", false);
  const Collection collection = context_of(services, exchange).store().collect(dry_run);
  StoreJson json = {{"success", true}, {"dry_run", dry_run}, {"bytes", collection.bytes}};
  json["blobs"] = StoreJson::array();
  for (const Digest& digest : collection.blobs)
    json["blobs"].push_back(digest.text());
  json["leftovers"] = collection.leftovers.size();
  json["views"] = collection.views.size();
  exchange.send(200, http::kJson, json_text(json) + "\n");
}

}  // namespace

void add_store_routes(http::Router& router, const Services& services) {
  router.add("POST", "/verify", {},
             [&services](http::Exchange& exchange) { Verification(services, exchange).run(); });
  router.add("POST", "/gc", {}, [&services](http::Exchange& exchange) { collect(services, exchange); });
}

}  // namespace roundhouse::host
