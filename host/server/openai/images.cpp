// SPDX-License-Identifier: Apache-2.0
// Images from a prompt: whole, by address, or as events while they are made.
#include "host/server/openai/images.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "host/server/http/http_error.h"
#include "host/server/image_files.h"
#include "host/server/openai/failure.h"
#include "host/server/openai/image_request.h"
#include "host/server/openai/models.h"
#include "host/server/request_fields.h"
#include "host/text/json_text.h"
#include "host/transport/base64.h"

namespace roundhouse::host::openai {
namespace {

using nlohmann::ordered_json;

constexpr const char* kFiles = "/v1/images/files/";

// A quality is a share of the steps that the model is used to.
void take_quality(const Services& services, ImageRequest& image) {
  if (image.request.steps || image.quality == "medium") return;
  GenerateRequest request = image.request;
  if (!request.engine) request.engine = services.registry.default_engine();
  const std::uint32_t usual = usual_steps(request, *services.registry.snapshot(), services.models());
  image.request.steps = steps_of_quality(image.quality, usual);
}

std::string size_text(std::uint32_t width, std::uint32_t height) {
  return fmt::format("{}x{}", width, height);
}

// What the API says of images, in an answer and in each event.
ordered_json common_json(const ImageRequest& image, const GeneratePlan& plan) {
  ordered_json json;
  json["background"] = "opaque";
  json["output_format"] = name_of(image.form.encoding.format);
  json["quality"] = image.quality;
  json["size"] = size_text(plan.job.width, plan.job.height);
  json["model"] = name_of(plan.model);
  json["engine"] = plan.engine;
  return json;
}

// Images are not counted in tokens here; clients read the numbers all the same.
ordered_json no_usage() {
  return {{"input_tokens", 0},
          {"output_tokens", 0},
          {"total_tokens", 0},
          {"input_tokens_details", {{"text_tokens", 0}, {"image_tokens", 0}}}};
}

class ImageAnswer {
 public:
  ImageAnswer(const Services& services, http::Exchange& exchange, Shelf& shelf, ImageRequest image,
              std::string event)
      : services_(services),
        exchange_(exchange),
        shelf_(shelf),
        image_(std::move(image)),
        event_(std::move(event)) {}

  void run() {
    // Before the quality: a plan of the size that was sent may be impossible.
    if (image_.fit && services_.fit_sizes) {
      if (auto note = fit_size(image_.request, services_.models())) notes_.push_back(*note);
    }
    take_quality(services_, image_);
    if (image_.stream) {
      run_stream();
    } else {
      run_whole();
    }
  }

 private:
  std::string address(const std::string& name) const {
    return exchange_.request().own_url + kFiles + name + "." + extension_of(image_.form.encoding.format);
  }

  void run_whole() {
    ordered_json data = ordered_json::array();
    ordered_json json;
    ImageFileEvents events;
    events.begun = [&](const GeneratePlan& plan, const LeaseReport&) {
      tell_placement(exchange_, plan);
      note_alias(plan);
      json = common_json(image_, plan);
      json["steps"] = plan.job.steps;
      json["guidance"] = plan.job.guidance;
    };
    events.image = [&](std::uint32_t, const ImageFile& image) {
      ordered_json entry;
      if (image_.by_address) {
        entry["url"] = address(shelf_.keep(image.bytes));
      } else {
        entry["b64_json"] = base64_encoded(image.bytes);
      }
      entry["seed"] = image.record.job.seed;
      data.push_back(std::move(entry));
    };
    auto notes =
        make_image_files(services_, exchange_, image_.request, image_.keep_alive, events, image_.form);
    notes.insert(notes.begin(), notes_.begin(), notes_.end());
    ordered_json answer{{"created", std::time(nullptr)}, {"data", std::move(data)}};
    answer.update(json);
    answer["notes"] = notes;
    exchange_.send(200, http::kJson, json_text(answer));
  }

  // Before all other notes; once it is known what runs.
  void note_alias(const GeneratePlan& plan) {
    if (!image_.alias) return;
    notes_.insert(notes_.begin(), fmt::format("model '{}' is OpenAI's; '{}' took its place", *image_.alias,
                                              plan.model ? name_of(plan.model) : plan.engine));
  }

  // The next event; ends the request when nobody reads it.
  void write(const std::string& type, ordered_json json) {
    json["type"] = type;
    if (!stream_->write("event: " + type + "\ndata: " + json_text(json) + "\n\n")) {
      throw Error(RH_CANCELLED, "the client left");
    }
  }

  // So many that they divide the work evenly.
  PreviewRate previews() const { return {0, image_.partial_images == 0 ? 0 : image_.partial_images + 1}; }

  void run_stream() {
    ordered_json common;
    std::uint32_t partial = 0;  // of the image at work
    ImageFileEvents events;
    events.begun = [&](const GeneratePlan& plan, const LeaseReport&) {
      tell_placement(exchange_, plan);
      note_alias(plan);
      common = common_json(image_, plan);
      if (!notes_.empty()) common["notes"] = notes_;
      stream_ = &exchange_.begin(200, http::kEventStream);
    };
    events.preview = [&](std::uint32_t image, const PreviewEvent& preview) {
      if (partial == image_.partial_images || preview.step == preview.steps) return;
      ordered_json json{{"b64_json", base64_encoded(image_file(preview.image, image_.form.encoding, {}))},
                        {"created_at", std::time(nullptr)},
                        {"partial_image_index", partial++},
                        {"image_index", image},
                        {"step", preview.step},
                        {"steps", preview.steps}};
      json.update(common);
      write(event_ + ".partial_image", std::move(json));
    };
    events.image = [&](std::uint32_t index, const ImageFile& image) {
      partial = 0;
      ordered_json json{{"b64_json", base64_encoded(image.bytes)},
                        {"created_at", std::time(nullptr)},
                        {"usage", no_usage()},
                        {"image_index", index},
                        {"seed", image.record.job.seed}};
      json.update(common);
      for (const std::string& note : image.notes)
        json["notes"].push_back(note);
      write(event_ + ".completed", std::move(json));
    };
    make_image_files(services_, exchange_, image_.request, image_.keep_alive, events, image_.form,
                     previews());
  }

  const Services& services_;
  http::Exchange& exchange_;
  Shelf& shelf_;
  ImageRequest image_;
  const std::string event_;
  http::Stream* stream_ = nullptr;
  std::vector<std::string> notes_;  // on what became of the request before it was planned
};

void generate(const Services& services, Shelf& shelf, http::Exchange& exchange) {
  const ModelCatalogue catalogue = services.models();
  ImageRequest image = read_image_request(JsonFields::parse(exchange.request().body),
                                          [&](const std::string& name) { return is_model(catalogue, name); });
  answer_with_images(services, exchange, shelf, std::move(image), "image_generation");
}

void send_file(Shelf& shelf, http::Exchange& exchange) {
  std::string name = exchange.request().parameters.at("name");
  name.resize(std::min(name.find('.'), name.size()));  // what the file is, it says itself
  const auto file = shelf.find(name);
  if (file == nullptr) {
    throw http::HttpError(
        404, RH_INVALID_ARGUMENT, "image: there is none of that name, or no more",
        fmt::format("images are kept for {} minutes, as long as there is room; ask for b64_json",
                    shelf.limits().age.count() / 60));
  }
  exchange.header("Cache-Control", fmt::format("private, max-age={}", shelf.limits().age.count()));
  exchange.header("X-Content-Type-Options", "nosniff");
  exchange.send(200, media_type_of(format_of_bytes(*file).value_or(ImageFormat::png)), *file);
}

}  // namespace

void answer_with_images(const Services& services, http::Exchange& exchange, Shelf& shelf, ImageRequest image,
                        const std::string& event) {
  ImageAnswer(services, exchange, shelf, std::move(image), event).run();
}

void add_generation_routes(http::Router& router, const Services& services,
                           const std::shared_ptr<Shelf>& shelf) {
  router.add("POST", "/v1/images/generations", {}, with_retry_advice([&, shelf](http::Exchange& exchange) {
               generate(services, *shelf, exchange);
             }));
  // Open: whoever shows an image in a page can send no key, and nobody can guess the name.
  router.add("GET", std::string(kFiles) + "{name}", {0, false, true},
             [shelf](http::Exchange& exchange) { send_file(*shelf, exchange); });
}

}  // namespace roundhouse::host::openai
