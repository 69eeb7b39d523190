// SPDX-License-Identifier: Apache-2.0
// Matrices that a set rounds when they are asked for: which, to what, and what stays in memory.
#include <fcntl.h>
#include <unistd.h>

#include <cmath>
#include <limits>
#include <random>

#include "engines/tensor/quantise.h"
#include "engines/weights/mapped_file.h"
#include "engines/weights/weight_set.h"
#include "temporary_folder.h"

namespace engines {
namespace {

constexpr WeightOptions kUseQ8{.matrices = Dtype::q8_0};
constexpr WeightOptions kUseQ4{.matrices = Dtype::q4_0};

// A folder `unet` whose only tensor `w` has that shape, of F32 unless said, with values of about 1.
class QuantisedMatrices : public testing::Test {
 protected:
  using Shape = std::vector<std::int64_t>;

  void write(const Shape& shape, const std::string& dtype = "F32",
             const std::function<void(std::vector<float>&)>& change = {}) {
    std::size_t count = 1;
    std::string sizes;
    for (const auto size : shape) {
      count *= static_cast<std::size_t>(size);
      sizes += (sizes.empty() ? "" : ",") + std::to_string(size);
    }
    std::mt19937 random(3);
    std::normal_distribution<float> normal(0, 1);
    values_.resize(count);
    for (float& value : values_)
      value = normal(random);
    if (change) change(values_);
    std::string data;
    for (const float value : values_) {
      const auto bits = std::bit_cast<std::uint32_t>(value);
      const auto half = static_cast<std::uint16_t>(bits >> 16);
      if (dtype == "F32")
        data.append(reinterpret_cast<const char*>(&bits), 4);
      else
        data.append(reinterpret_cast<const char*>(&half), 2);
    }
    std::string file = safetensors("{\"w\":{\"dtype\":\"" + dtype + "\",\"shape\":[" + sizes +
                                       "],\"data_offsets\":[0," + std::to_string(data.size()) + "]}}",
                                   0);
    folder_.write("unet/m.safetensors", file + data);
  }
  WeightSet open(const WeightOptions& options) const { return {folder_.path() / "unet", "m", options}; }

  TemporaryFolder folder_;
  std::vector<float> values_;
};

// What matrix() should hold.
std::vector<std::byte> rounded(const WeightView& stored, Dtype to) {
  std::vector<std::byte> out(static_cast<std::size_t>(bytes_of(to, stored.size())));
  quantise(out.data(), to, stored.data, stored.dtype, stored.size());
  return out;
}

bool holds(const WeightView& view, const std::vector<std::byte>& bytes) {
  return view.bytes() == static_cast<std::int64_t>(bytes.size()) &&
         std::memcmp(view.data, bytes.data(), bytes.size()) == 0;
}

TEST_F(QuantisedMatrices, AWeightThatIsNotFiniteIsNamedWithItsPlace) {
  for (const auto& [bad, shown] : {std::pair{std::nanf(""), "nan"}, {INFINITY, "inf"}, {-INFINITY, "-inf"}})
    for (const std::string dtype : {"F32", "BF16"})
      for (const auto& options : {kUseQ8, kUseQ4}) {
        write({300, 256}, dtype, [&, value = bad](auto& values) { values[299 * 256 + 5] = value; });
        WeightSet set = open(options);
        expect_error(
            [&] {
              set.matrix("w", {300, 256});
            },
            RH_MODEL_INVALID, std::string("unet/m.safetensors: tensor 'w': element [299, 5] is ") + shown);
      }
}

TEST_F(QuantisedMatrices, AWeightTooGreatForTheTypeIsNamed) {
  write({256, 256}, "F32", [](auto& values) { values[256] = 1e6f; });
  WeightSet q4 = open(kUseQ4);
  expect_error(
      [&] {
        q4.matrix("w", {256, 256});
      },
      RH_MODEL_INVALID, "element [1, 0] is 1000000, expected a number that q4_0 can hold");
  EXPECT_EQ(open(kUseQ8).matrix("w", {256, 256}).dtype, Dtype::q8_0);
}

TEST_F(QuantisedMatrices, DifferencesToWhatTheModelExpectsAreRefusedAsByGet) {
  write({256, 256});
  WeightSet set = open(kUseQ8);
  expect_error(
      [&] {
        set.matrix("w", {128, 512});
      },
      RH_MODEL_INVALID, "shape is [256,256], expected [128,512]");
  expect_error([&] { set.matrix("v", {256, 256}); }, RH_MODEL_INVALID, "tensor 'v' is missing");
}

TEST_F(QuantisedMatrices, OnlyLargeMatricesOfWholeBlocksAreRounded) {
  for (const Shape& shape :
       {Shape{255, 256}, {1024, 65}, {4096, 16}, {1 << 17}, {256, 16, 32}, {0, 32}, {32, 0}}) {
    write(shape);
    WeightSet set = open(kUseQ8);
    EXPECT_EQ(set.matrix("w", shape).dtype, Dtype::f32) << testing::PrintToString(shape);
    EXPECT_EQ(&set.matrix("w", shape), &set.get("w", shape));
    EXPECT_EQ(set.total_bytes(), values_.size() * 4);
  }
  write({2048, 32});
  EXPECT_EQ(open(kUseQ8).matrix("w", {2048, 32}).dtype, Dtype::q8_0);
}

TEST_F(QuantisedMatrices, WithoutOptionsEverythingStaysAsStored) {
  write({256, 256});
  WeightSet set = open({});
  EXPECT_EQ(&set.matrix("w", {256, 256}), &set.get("w", {256, 256}));
}

TEST_F(QuantisedMatrices, HoldWhatQuantiseGivesWhoeverDoesIt) {
  ThreadPool pool(3);
  const Shape shape{2200, 1024};  // three pieces, the last of them short
  for (const std::string dtype : {"F32", "BF16"}) {
    write(shape, dtype);
    for (const Dtype to : {Dtype::q8_0, Dtype::q4_0})
      for (ThreadPool* const threads : {static_cast<ThreadPool*>(nullptr), &pool}) {
        WeightSet set = open({.matrices = to, .pool = threads});
        const WeightView& view = set.matrix("w", shape);
        EXPECT_EQ(view.dtype, to);
        EXPECT_EQ(view.shape, shape);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(view.data) % 64, 0u);
        EXPECT_TRUE(holds(view, rounded(set.get("w", shape), to))) << dtype << " to " << name_of(to);
        EXPECT_EQ(&set.matrix("w", shape), &view) << "rounded once";
      }
  }
}

TEST_F(QuantisedMatrices, SurviveMovingTheSet) {
  write({256, 256});
  WeightSet first = open(kUseQ4);
  const WeightView* const view = &first.matrix("w", {256, 256});
  const std::byte* const data = view->data;
  WeightSet second = std::move(first);
  EXPECT_EQ(&second.matrix("w", {256, 256}), view);
  EXPECT_EQ(view->data, data);
}

TEST_F(QuantisedMatrices, AreCountedAsTheyAreHeldAndPlannedAsTheyWouldBe) {
  write({256, 512}, "BF16");
  for (const Dtype to : {Dtype::q8_0, Dtype::q4_0}) {
    WeightSet planned = open({.matrices = to, .plan_only = true});
    WeightSet set = open({.matrices = to});
    EXPECT_EQ(set.total_bytes(), 2u * 256 * 512) << "nothing is rounded before it is asked for";
    EXPECT_EQ(set.main_dtype(), Dtype::bf16);
    set.matrix("w", {256, 512});
    EXPECT_EQ(set.total_bytes(), static_cast<std::uint64_t>(bytes_of(to, 256 * 512)));
    EXPECT_EQ(set.main_dtype(), to);

    EXPECT_EQ(&planned.matrix("w", {256, 512}), &planned.get("w", {256, 512}));
    EXPECT_EQ(planned.total_bytes(), set.total_bytes());
    EXPECT_EQ(planned.main_dtype(), to);
  }
}

// Whether the page at this address is in this process's page tables.
bool is_present(const std::byte* address) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const int file = ::open("/proc/self/pagemap", O_RDONLY);
  std::uint64_t entry = 0;
  const auto place = static_cast<off_t>(reinterpret_cast<std::uintptr_t>(address) / page * sizeof entry);
  EXPECT_EQ(::pread(file, &entry, sizeof entry, place), static_cast<ssize_t>(sizeof entry));
  ::close(file);
  return (entry >> 63) != 0;
}

TEST_F(QuantisedMatrices, LeaveNothingOfTheFileInMemoryButItsEdges) {
  write({3000, 1024});
  WeightSet set = open(kUseQ8);
  const WeightView& stored = set.get("w", {3000, 1024});
  set.matrix("w", {3000, 1024});
  int present = 0;
  const std::int64_t page = ::sysconf(_SC_PAGESIZE);
  for (std::int64_t place = page; place < stored.bytes() - page; place += page)
    present += is_present(stored.data + place) ? 1 : 0;
  EXPECT_EQ(present, 0);
  EXPECT_EQ(load_as_float(stored.data, Dtype::f32, 1234567), values_[1234567]) << "it can still be read";
  EXPECT_TRUE(is_present(stored.data + 4 * 1234567));
}

TEST(MappedFile, ForgetsWholePagesOnlyAndReadsThemAgain) {
  const TemporaryFolder folder;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::string content(4 * page, 'x');
  content.back() = 'z';
  const MappedFile file(folder.write("f", content), "f");
  const auto touch = [&] {
    for (std::size_t place = 0; place < content.size(); place += page)
      EXPECT_EQ(static_cast<char>(file.data()[place]), 'x');
  };
  touch();
  file.forget(file.data() + 1, 2 * page - 2);
  EXPECT_TRUE(is_present(file.data()) && is_present(file.data() + page)) << "no page lies whole inside";
  file.forget(file.data() + 1, 2 * page);
  EXPECT_TRUE(is_present(file.data()) && is_present(file.data() + 2 * page));
  EXPECT_FALSE(is_present(file.data() + page));
  touch();
  file.forget(file.data(), file.size());
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_FALSE(is_present(file.data() + i * page));
  file.forget(file.data() + file.size(), 0);
  EXPECT_EQ(file.text(), content);
}

}  // namespace
}  // namespace engines
