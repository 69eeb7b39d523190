// SPDX-License-Identifier: Apache-2.0
#include "host/server/a1111/image_routes.h"

#include <algorithm>
#include <ctime>

#include "host/server/a1111/names.h"
#include "host/server/a1111/txt2img_request.h"
#include "host/server/image_files.h"
#include "host/server/image_to_image.h"
#include "host/session/random_seed.h"
#include "host/text/json_text.h"
#include "host/transport/base64.h"

namespace roundhouse::host::a1111 {
namespace {

using nlohmann::ordered_json;

constexpr double kUsualStrength = 0.75;  // that world's
constexpr std::uint32_t kPreviews = 4;   // of an image, for those who ask how far it is

std::string timestamp() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y%m%d%H%M%S", &local)};
}

// What `skip` makes of the image at work.
class Skipped : public Error {
 public:
  Skipped() : Error(RH_CANCELLED, "skipped") {}
};

class Txt2Img {
 public:
  Txt2Img(const Services& services, Jobs& jobs, http::Exchange& exchange, Txt2ImgRequest request)
      : services_(services),
        exchange_(exchange),
        txt2img_(std::move(request)),
        job_(jobs, initial_state(), [&exchange] { exchange.cancel(); }) {}

  void run() {
    try {
      make();
    } catch (const Error& error) {
      // Who interrupts gets what there is.
      if (error.code() != RH_CANCELLED || !job_.interrupted()) throw;
    }
  }

  ordered_json answer(const nlohmann::json& body) const {
    ordered_json json;
    json["images"] = txt2img_.send_images ? images_ : ordered_json::array();
    json["parameters"] = body;
    json["info"] = json_text(info());
    return json;
  }

 private:
  JobState initial_state() const {
    JobState state;
    state.name = txt2img_.request.init ? "img2img" : "txt2img";
    state.timestamp = timestamp();
    state.images = static_cast<std::uint32_t>(txt2img_.request.images);
    return state;
  }

  // All images, the rest again after each one that was skipped.
  void make() {
    const auto total = static_cast<std::uint32_t>(txt2img_.request.images);
    GenerateRequest request = txt2img_.request;
    if (request.seed.value_or(-1) == -1) request.seed = static_cast<std::int64_t>(random_seed());
    const std::int64_t seed = *request.seed;
    for (next_ = 0; next_ < total;) {
      request.images = total - next_;
      request.seed = (seed + next_) & INT64_MAX;
      try {
        const auto notes = make_image_files(services_, exchange_, request, std::nullopt, events(next_, total),
                                            txt2img_.form, PreviewRate{0, kPreviews});
        txt2img_.notes.insert(txt2img_.notes.end(), notes.begin(), notes.end());
        return;
      } catch (const Skipped&) {
        ++next_;
        job_.update([](JobState& state) {
          state.step = 0;
          state.preview = nullptr;
        });
      }
    }
  }

  ImageFileEvents events(std::uint32_t first, std::uint32_t total) {
    ImageFileEvents events;
    events.begun = [this](const GeneratePlan& plan, const LeaseReport&) {
      if (plan_.engine.empty()) tell_placement(exchange_, plan);
      plan_ = plan;
    };
    events.progress = [this, first, total](const StepEvent& event) {
      if (job_.take_skip()) throw Skipped();
      job_.update([&](JobState& state) {
        state.image = first + event.image;
        if (event.stage == "denoise") {
          state.step = event.step;
          state.steps = event.steps;
        }
        state.fraction = (first + event.fraction * event.images) / total;
        state.eta_seconds = event.eta_seconds;
      });
    };
    events.preview = [this](std::uint32_t, const PreviewEvent& event) {
      auto image = std::make_shared<const Image>(event.image);
      job_.update([&](JobState& state) { state.preview = std::move(image); });
    };
    events.image = [this](std::uint32_t, const ImageFile& image) {
      ++next_;
      images_.push_back(base64_encoded(image.bytes));
      records_.push_back(image.record);
    };
    return events;
  }

  ordered_json info() const {
    const GenerateRequest& asked = txt2img_.request;
    ordered_json json;
    ordered_json seeds = ordered_json::array(), prompts = seeds, negatives = seeds, texts = seeds;
    const std::string negative = asked.negative_prompt.value_or("");
    for (const ImageMetadata& record : records_) {
      seeds.push_back(record.job.seed);
      prompts.push_back(asked.prompt);
      negatives.push_back(negative);
      texts.push_back(a1111_parameters(record));
    }
    const ImageTask& job = plan_.job;
    json["prompt"] = asked.prompt;
    json["all_prompts"] = prompts;
    json["negative_prompt"] = negative;
    json["all_negative_prompts"] = negatives;
    json["seed"] = seeds.empty() ? ordered_json(job.seed) : seeds[0];
    json["all_seeds"] = seeds;
    json["subseed"] = json["seed"];
    json["all_subseeds"] = seeds;
    json["subseed_strength"] = 0;
    json["width"] = job.width;
    json["height"] = job.height;
    json["sampler_name"] = sampler();
    json["cfg_scale"] = cfg_scale_of_guidance(job.guidance);
    json["steps"] = job.steps;
    json["batch_size"] = txt2img_.batch_size;
    json["restore_faces"] = false;
    json["face_restoration_model"] = nullptr;
    json["sd_model_name"] = name_of(plan_.model);
    json["sd_model_hash"] = "";
    json["sd_vae_name"] = nullptr;
    json["denoising_strength"] = asked.strength ? ordered_json(*asked.strength) : ordered_json(nullptr);
    json["extra_generation_params"] = {{"Engine", plan_.engine}};
    json["index_of_first_image"] = 0;
    json["infotexts"] = texts;
    json["styles"] = ordered_json::array();
    json["job_timestamp"] = timestamp_;
    json["clip_skip"] = 1;
    json["version"] = "roundhouse " + services_.version;
    json["engine"] = plan_.engine;
    json["interrupted"] = job_.interrupted();
    json["notes"] = txt2img_.notes;
    return json;
  }

  std::string sampler() const {
    const bool known = !records_.empty() && records_.front().sampler;
    return known ? a1111_sampler(*records_.front().sampler) : "";
  }

  const Services& services_;
  http::Exchange& exchange_;
  Txt2ImgRequest txt2img_;
  const std::string timestamp_ = timestamp();
  Jobs::Job job_;
  std::uint32_t next_ = 0;  // image
  GeneratePlan plan_;
  ordered_json images_ = ordered_json::array();
  std::vector<ImageMetadata> records_;
};

void txt2img(const Services& services, Settings& settings, Jobs& jobs, http::Exchange& exchange) {
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  Txt2ImgRequest request = read_txt2img(with_plain_values(fields), services, settings);
  const std::string kept = request.keep_options ? request.checkpoint : "";
  Txt2Img job(services, jobs, exchange, std::move(request));
  job.run();
  if (!kept.empty()) settings.set_checkpoint(kept);
  exchange.send(200, http::kJson, json_text(job.answer(fields.value())));
}

// What of the image is drawn anew. Its edge is as sharp as it was sent.
void take_img2img_mask(const JsonFields& fields, InitSource& init, Txt2ImgRequest& request) {
  if (!fields.has("mask")) return;
  read_mask(init, decode_image_text(fields.value().at("mask"), "mask"), "mask");
  if (fields.integer("inpainting_mask_invert", 0, 1).value_or(0) == 1) {
    for (std::uint8_t& level : init.mask->levels)
      level = static_cast<std::uint8_t>(255 - level);
  }
  if (fields.number("mask_blur").value_or(0) > 0)
    request.notes.emplace_back("mask_blur: the edge of the mask is as sharp as it was sent");
}

void img2img(const Services& services, Settings& settings, Jobs& jobs, http::Exchange& exchange) {
  const JsonFields sent = JsonFields::parse(exchange.request().body);
  const JsonFields fields = with_plain_values(sent);
  const auto images = fields.list("init_images");
  if (!images || images->empty()) fields.refuse("init_images", "names no image, expected one");
  if (images->size() > 1) fields.refuse("init_images", "names several images, expected one");
  auto init = std::make_shared<InitSource>(
      read_init_image(decode_image_text(images->at(0), "init_images"), "init_images"));
  Txt2ImgRequest request = read_txt2img(fields, services, settings);
  take_img2img_mask(fields, *init, request);
  request.request.init = std::move(init);
  request.request.strength = fields.number("denoising_strength").value_or(kUsualStrength);
  Txt2Img job(services, jobs, exchange, std::move(request));
  job.run();
  nlohmann::json echo = sent.value();
  if (!fields.boolean("include_init_images", false)) {
    for (const char* image : {"init_images", "mask"})
      echo[image] = nullptr;
  }
  exchange.send(200, http::kJson, json_text(job.answer(echo)));
}

}  // namespace

void add_image_routes(http::Router& router, const Services& services,
                      const std::shared_ptr<Settings>& settings, const std::shared_ptr<Jobs>& jobs) {
  router.add("POST", "/sdapi/v1/txt2img", {}, [&services, settings, jobs](http::Exchange& exchange) {
    txt2img(services, *settings, *jobs, exchange);
  });
  router.add("POST", "/sdapi/v1/img2img", kWithImages, [&services, settings, jobs](http::Exchange& exchange) {
    img2img(services, *settings, *jobs, exchange);
  });
}

}  // namespace roundhouse::host::a1111
