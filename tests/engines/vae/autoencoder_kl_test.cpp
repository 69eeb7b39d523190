// SPDX-License-Identifier: Apache-2.0
// The tiny model's VAE against the tensors that the original computed, and what callers may do wrong.
#include "engines/vae/autoencoder_kl.h"

#include <limits>
#include <map>

#include "engines/kernels/openblas/openblas_kernels.h"
#include "engines/sampling/random.h"
#include "tests/engines/sampling/fixture.h"
#include "tests/engines/vae/vae_folder.h"

namespace engines::testing {
namespace {

struct KernelsCase {
  const char* name;
  std::unique_ptr<Kernels> (*make)();
};
void PrintTo(const KernelsCase& kernels, std::ostream* out) {
  *out << kernels.name;
}

class AutoencoderKLWith : public ::testing::TestWithParam<KernelsCase> {
 protected:
  const Fixture fixture_{"zimage-tiny", "vae"};
  const std::unique_ptr<Kernels> kernels_ = GetParam().make();
  const AutoencoderKL vae_{tiny_vae(), *kernels_};
  QuietRun run_;

  ConstPlanes planes(const std::vector<float>& values, std::int64_t channels, std::int64_t height) const {
    return {values.data(), channels, height, static_cast<std::int64_t>(values.size()) / channels / height};
  }
  void expect_close(std::span<const float> actual, const std::string& name) const {
    expect_near(actual, fixture_.floats(name), fixture_.tolerance(name), name);
  }
};

// The pixels of `name`, (H, W, 3) bytes, as planes of -1 to 1.
std::vector<float> pixels(const Fixture& fixture, const std::string& name) {
  const auto bytes = fixture.values<std::uint8_t>(name);
  const std::size_t size = bytes.size() / 3;
  std::vector<float> out(bytes.size());
  for (std::size_t i = 0; i < size; ++i)
    for (std::size_t c = 0; c < 3; ++c)
      out[c * size + i] = 2 * (static_cast<float>(bytes[3 * i + c]) / 255.0F) - 1;
  return out;
}

std::vector<float> copied(ConstPlanes planes) {
  return {planes.data, planes.data + planes.size()};
}

struct Sizes {
  const char* number;
  std::int64_t height;
};

TEST_P(AutoencoderKLWith, DecodesAsTheOriginalDoes) {
  for (const auto& [number, height] : {Sizes{"0", 8}, Sizes{"1", 12}}) {
    const std::string name = std::string("decode") + number;
    const std::vector<float> latent = fixture_.floats(name + ".latent");
    std::vector<float> image(fixture_.floats(name + ".image").size());
    const ConstPlanes shape = planes(image, 3, 8 * height);
    vae_.decode(planes(latent, 16, height), {image.data(), 3, shape.height, shape.width}, run_);
    expect_close(image, name + ".image");

    const auto expected = fixture_.values<std::uint8_t>(name + ".image_uint8");
    std::size_t differing = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const float value = image[i % 3 * (image.size() / 3) + i / 3];
      const float level = std::nearbyint(255 * std::clamp(value * 0.5F + 0.5F, 0.0F, 1.0F));
      EXPECT_LE(std::fabs(level - expected[i]), 1) << name << " at " << i;
      differing += level != expected[i];
    }
    EXPECT_LT(static_cast<double>(differing), 0.002 * static_cast<double>(expected.size())) << name;
  }
}

TEST_P(AutoencoderKLWith, ShowsTheIntermediatesOfTheDecoder) {
  const std::vector<float> latent = fixture_.floats("decode0.latent");
  std::vector<float> image(3 * 64 * 96);
  std::map<std::string, std::vector<float>> taps;
  vae_.decode(planes(latent, 16, 8), {image.data(), 3, 64, 96}, run_,
              [&](const std::string& name, ConstPlanes shown) { taps[name] = copied(shown); });
  for (const char* name : {"conv_in", "mid_block", "up0"})
    expect_close(taps[name], std::string("dec.") + name);
  EXPECT_EQ(taps.size(), 6U);
}

TEST_P(AutoencoderKLWith, EncodesAsTheOriginalDoes) {
  for (const auto& [number, height] : {Sizes{"0", 8}, Sizes{"1", 12}}) {
    const std::string name = std::string("encode") + number;
    const std::vector<float> image = pixels(fixture_, name + ".image_uint8");
    const std::vector<float> mean = fixture_.floats(name + ".mean");
    std::vector<float> moments(2 * mean.size());
    const ConstPlanes shape = planes(moments, 32, height);
    const Planes out{moments.data(), 32, height, shape.width};
    vae_.encode(planes(image, 3, 8 * height), out, run_);
    expect_close(std::span(moments).first(mean.size()), name + ".mean");
    expect_close(std::span(moments).last(mean.size()), name + ".logvar");  // all within the clamp

    std::vector<float> z(mean.size());
    const Planes latents{z.data(), 16, height, shape.width};
    vae_.sample(out, nullptr, latents);
    expect_close(z, name + ".scaled_mean");

    std::vector<float> noise(mean.size());
    TorchGenerator(fixture_.case_params()["seed"].get<std::uint64_t>()).randn(noise);
    vae_.sample(out, noise.data(), latents);
    std::vector<float> expected = fixture_.floats(name + ".sample");
    for (float& value : expected)
      value = (value - 0.1159F) * 0.3611F;
    expect_near(z, expected, 0.3611 * fixture_.tolerance(name + ".sample"), name + ".sample");
  }
}

TEST_P(AutoencoderKLWith, ShowsTheIntermediatesOfTheEncoder) {
  const std::vector<float> image = pixels(fixture_, "encode0.image_uint8");
  std::vector<float> moments(32 * 8 * 12);
  std::map<std::string, std::vector<float>> taps;
  vae_.encode(planes(image, 3, 64), {moments.data(), 32, 8, 12}, run_,
              [&](const std::string& name, ConstPlanes shown) { taps[name] = copied(shown); });
  for (const char* name : {"down3", "mid_block"})
    expect_close(taps[name], std::string("enc.") + name);
  EXPECT_EQ(taps.size(), 6U);
}

INSTANTIATE_TEST_SUITE_P(Kernels, AutoencoderKLWith,
                         ::testing::Values(KernelsCase{"reference", make_reference_kernels},
                                           KernelsCase{"openblas", [] { return make_openblas_kernels(2); }}),
                         [](const auto& kernels) { return kernels.param.name; });

class TinyAutoencoder : public ::testing::Test {
 protected:
  const std::unique_ptr<Kernels> kernels_ = make_reference_kernels();
  const AutoencoderKL vae_{tiny_vae(), *kernels_};
  QuietRun run_;
  std::vector<float> latents_ = std::vector<float>(16 * 4 * 2, 0.25F);
  std::vector<float> image_ = std::vector<float>(3 * 32 * 16, 0.25F);
  std::vector<float> moments_ = std::vector<float>(32 * 4 * 2);
};

TEST_F(TinyAutoencoder, RefusesSizesThatDoNotFitEachOther) {
  const auto decode = [&](ConstPlanes latents, Planes image) { vae_.decode(latents, image, run_); };
  const float* z = latents_.data();
  float* x = image_.data();
  expect_error(RH_INVALID_DIMENSION, "latents: [15, 4, 2]", [&] { decode({z, 15, 4, 2}, {x, 3, 32, 16}); });
  expect_error(RH_INVALID_DIMENSION, "latents: [16, 4, 3]", [&] { decode({z, 16, 4, 3}, {x, 3, 32, 16}); });
  expect_error(RH_INVALID_DIMENSION, "image: [4, 32, 16]", [&] { decode({z, 16, 4, 2}, {x, 4, 32, 16}); });
  expect_error(RH_INVALID_DIMENSION, "image: [3, 32, 17]", [&] { decode({z, 16, 4, 2}, {x, 3, 32, 17}); });
  expect_error(RH_INVALID_DIMENSION, "image: [3, 0, 16]", [&] { decode({z, 16, 0, 2}, {x, 3, 0, 16}); });
  const std::int64_t large = std::int64_t{1} << 31;
  expect_error(RH_INVALID_DIMENSION, "sides of 1 to 65536", [&] {
    decode({z, 16, large, large}, {x, 3, 8 * large, 8 * large});
  });
  expect_error(RH_INVALID_DIMENSION, "image: [3, 36, 16]", [&] {
    vae_.encode({x, 3, 36, 16}, {moments_.data(), 32, 4, 2}, run_);
  });
  expect_error(RH_INVALID_DIMENSION, "moments: [16, 4, 2]", [&] {
    vae_.encode({x, 3, 32, 16}, {moments_.data(), 16, 4, 2}, run_);
  });
  expect_error(RH_INVALID_DIMENSION, "latents: [16, 4, 1]", [&] {
    vae_.sample({moments_.data(), 32, 4, 2}, nullptr, {latents_.data(), 16, 4, 1});
  });
}

class CancelsAtQuestion : public QuietRun {
 public:
  explicit CancelsAtQuestion(int question) : question_(question) {}
  bool cancelled() override { return ++asked_ == question_; }
  int asked() const { return asked_; }

 private:
  int question_;
  int asked_ = 0;
};

TEST_F(TinyAutoencoder, StopsAtEveryBlockWhenAskedTo) {
  const auto decode = [&](engines::Run& run) {
    vae_.decode({latents_.data(), 16, 4, 2}, {image_.data(), 3, 32, 16}, run);
  };
  const auto encode = [&](engines::Run& run) {
    vae_.encode({image_.data(), 3, 32, 16}, {moments_.data(), 32, 4, 2}, run);
  };
  CancelsAtQuestion never(0);
  decode(never);
  // One strip a map. Mid resnets, attention and its queries; seven resnets with two norms each; two
  // enlargements; the third with the resnet that has a shortcut; the image and its norm.
  EXPECT_EQ(never.asked(), 2 + 2 + 7 * 3 + 2 + 4 + 2);
  for (int question = 1; question <= never.asked(); ++question) {
    CancelsAtQuestion run(question);
    expect_error(RH_CANCELLED, "cancelled", [&] { decode(run); });
  }
  CancelsAtQuestion never_encoding(0);
  encode(never_encoding);
  EXPECT_EQ(never_encoding.asked(), 4 * 1 + 3 + 2 + 2 + 1);
  CancelsAtQuestion run(5);
  expect_error(RH_CANCELLED, "cancelled", [&] { encode(run); });
}

TEST_F(TinyAutoencoder, KeepsAtMostThreeMapsOfTheLargestLevelAlive) {
  std::vector<float> latents(16 * 8 * 12, 0.25F);
  std::vector<float> image(3 * 64 * 96);
  std::vector<float> moments(32 * 8 * 12);
  const std::size_t plane = std::size_t{16} * 64 * 96 * sizeof(float);
  vae_.decode({latents.data(), 16, 8, 12}, {image.data(), 3, 64, 96}, run_);
  EXPECT_LE(vae_.activation_bytes(), 3 * plane);
  EXPECT_GE(vae_.activation_bytes(), plane);
  vae_.encode({image.data(), 3, 64, 96}, {moments.data(), 32, 8, 12}, run_);
  EXPECT_LE(vae_.activation_bytes(), 3 * plane);
  EXPECT_GE(vae_.activation_bytes(), plane);
}

TEST_F(TinyAutoencoder, ClampsTheLogVariance) {
  std::vector<float> moments(32, 0.0F);
  std::vector<float> latents(16);
  const std::vector<float> noise(16, 1.0F);
  const auto sampled = [&](float logvar) {
    std::fill(moments.begin() + 16, moments.end(), logvar);
    vae_.sample({moments.data(), 32, 1, 1}, noise.data(), {latents.data(), 16, 1, 1});
    return latents[0];
  };
  EXPECT_EQ(sampled(25), sampled(20));
  EXPECT_EQ(sampled(-1000), sampled(-30));
  EXPECT_NE(sampled(19), sampled(20));
}

TEST(AutoencoderConfig, OfTheTinyModelSaysEightPixelsALatent) {
  const auto kernels = make_reference_kernels();
  const AutoencoderKL vae(tiny_vae(), *kernels);
  EXPECT_EQ(vae.config().scale(), 8);
  EXPECT_EQ(vae.config().latent_channels, 16);
  EXPECT_EQ(vae.activation_bytes(), 0U);
}

}  // namespace
}  // namespace engines::testing
