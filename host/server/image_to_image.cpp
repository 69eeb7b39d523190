// SPDX-License-Identifier: Apache-2.0
#include "host/server/image_to_image.h"

#include "host/transport/base64.h"

namespace roundhouse::host {

std::string decode_image_text(const nlohmann::json& value, const std::string& field) {
  const auto refuse = [&](const std::string& why) { throw Error(RH_INVALID_ARGUMENT, field + ": " + why); };
  if (!value.is_string()) refuse("is not a text, expected an image in base64");
  std::string_view text = value.get_ref<const std::string&>();
  if (text.starts_with("data:")) {
    const std::size_t comma = text.find(',');
    if (comma == std::string_view::npos || !text.substr(0, comma).ends_with(";base64"))
      refuse("is a data: address without base64");
    text.remove_prefix(comma + 1);
  }
  const auto bytes = base64_decoded(text);
  if (!bytes || bytes->empty()) refuse("is not an image in base64");
  return *bytes;
}

void check_image_kind(std::string_view bytes, const std::string& field) {
  const bool png = bytes.starts_with("\x89PNG\r\n\x1a\n"), jpeg = bytes.starts_with("\xff\xd8\xff");
  const bool webp = bytes.starts_with("RIFF") && bytes.size() > 12 && bytes.substr(8, 4) == "WEBP";
  if (!png && !jpeg && !webp) throw Error(RH_INVALID_ARGUMENT, field + ": is not a PNG, JPEG or WebP image");
}

void refuse_image_to_image(const Services& services, GenerateRequest request, bool mask) {
  if (!request.engine) request.engine = services.registry.default_engine();
  const auto registry = services.registry.snapshot();
  const ModelCatalogue models = services.models();
  place_images(request, *registry, models);  // what is wrong with it without an image comes first
  std::vector<std::string> features{"image-to-image"};
  if (mask) features.emplace_back("inpaint");
  const Placement placement = place_images(request, *registry, models, features);
  throw Error(RH_CAPABILITY_UNSUPPORTED, "engine '" + placement.engine +
                                             "' does image-to-image, but this version has no way to give "
                                             "an engine an image");
}

}  // namespace roundhouse::host
