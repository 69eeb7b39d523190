// SPDX-License-Identifier: Apache-2.0
// What the models are written over: the operations of a transformer and of a convolutional decoder, on
// floats, with weights in the type they are stored in. reference/ is the specification, as plain as the
// formulas below; every other folder is held to it by a tolerance computed from norms and machine epsilon.
// Kernels know no model.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engines/kernels/moments.h"
#include "engines/tensor/tensor.h"

namespace engines {

struct AttentionShape {
  std::int64_t heads = 0;     // query heads
  std::int64_t kv_heads = 0;  // divides heads; query head h reads key/value head h / (heads / kv_heads)
  std::int64_t head_dim = 0;
  // The queries are the last q.rows of the keys' positions, at most as many: row i sees key rows
  // 0..k.rows - q.rows + i. What lies before them is the past, as a cache keeps it between calls.
  bool causal = false;
  float scale = 0;  // usually 1 / sqrt(head_dim)
  // What the weights that made q, k and v are stored as: the products round their operands to product_dtype
  // of it.
  Dtype weights = Dtype::f32;
  // Causal attention only: of those keys row i sees the last `window`, its own among them; 0: all.
  std::int64_t window = 0;
  // 0: none. Otherwise a score s is softcap * tanh(s / softcap).
  float softcap = 0;
};

struct ConvShape {
  std::int64_t kernel = 3;  // square
  std::int64_t stride = 1;
  std::int64_t pad_before = 1;  // zeros above and left
  std::int64_t pad_after = 1;   // zeros below and right
};

// Keys and values of one text in pages: those of token t are row t % page_tokens of page t / page_tokens.
struct PagedKeys {
  const std::byte* const* pages = nullptr;
  std::int64_t keys = 0, values = 0;  // where in a page the rows of the layer begin, in bytes
  Dtype dtype = Dtype::f32;           // f32 or f16
  std::int64_t page_tokens = 0;
  std::int64_t tokens = 0;
  std::int64_t width = 0;  // of a row: kv_heads * head_dim
};

// How a result of several rows is computed: as is fastest, or each row as if it were alone, by its bits.
enum class RowSums { together, alone };

// Neighbouring rows of a taller map: row 0 of `planes` is row `first` of the map's `height`.
struct Strip {
  ConstPlanes planes;
  std::int64_t first = 0;
  std::int64_t height = 0;

  Strip(ConstPlanes p, std::int64_t f, std::int64_t h) : planes(p), first(f), height(h) {}
  // A whole map.
  Strip(ConstPlanes p) : Strip(p, 0, p.height) {}
  Strip(Planes p) : Strip(ConstPlanes(p)) {}
};

// What conv2d_rows does before and after the convolution.
struct ConvRows {
  // One for each channel of x, or null: x is replaced by silu((x - mean) * factor + bias).
  const ChannelNorm* norm = nullptr;
  bool add = false;  // y += instead of y =
};

// One object serves one engine. A call uses up to the thread budget given at creation; calls do not overlap.
// Outputs may not alias inputs unless said; planes are contiguous unless said. Shapes are the caller's
// promise (asserted in debug builds); sizes of zero are allowed and do nothing. Results do not depend on the
// number of threads: work is cut into pieces by shape alone.
class Kernels {
 public:
  virtual ~Kernels() = default;

  // y[m,n] = sum_k x[m,k] * w[n,k] + bias[n].  w: [n, k] as stored, further dimensions of 1 allowed; bias may
  // be null. Of a quantised w the products take the values that dtype.h gives for its blocks.
  void linear(Rows y, ConstRows x, const WeightView& w, const float* bias = nullptr);

  // The same with each row of y the same bits however many rows x has; meant for few.
  void linear_by_rows(Rows y, ConstRows x, const WeightView& w, const float* bias = nullptr);

  // out[i, h*head_dim + d] = sum_j softmax_j(scale * q_i . k_j) v[j, .] per head.
  // q, out: [rows, heads*head_dim]; k, v: [kv_rows, kv_heads*head_dim].
  void attention(Rows out, ConstRows q, ConstRows k, ConstRows v, const AttentionShape& shape);

  // Causal attention with the keys and values of a text's tokens, of which the last q.rows are the queries'
  // own. A row computed alone depends on its position and what it sees, not on the rows beside it.
  void paged_attention(Rows out, ConstRows q, const PagedKeys& seen, const AttentionShape& shape,
                       RowSums sums);

  // y[o, i, j] = sum_{c,a,b} w[o, c, a, b] * x[c, i*stride + a - pad_before, j*stride + b - pad_before] +
  // bias[o], x is 0 outside.  w: [out, in, kernel, kernel] as stored; bias may be null.
  void conv2d(Planes y, ConstPlanes x, const WeightView& w, const float* bias, const ConvShape& shape);

  // The following three serve maps that are too large to be there as a whole. They take planes of any stride,
  // and no bit of a result depends on how a map is cut into rows.

  // y = rows first..first+y.height-1 of conv2d(x) with stride 1, an odd kernel and kernel/2 zeros around the
  // map, so that the result is as large as it. x holds at least those rows of the map that y needs; its norm
  // comes before the zeros.  w: [out, in, kernel, kernel] as stored; bias may be null.
  void conv2d_rows(Planes y, std::int64_t first, const Strip& x, const WeightView& w, const float* bias,
                   const ConvRows& how = {});
  // y = rows first..first+y.height-1 of conv2d(upsample_nearest_2x(x)) with kernel 3, stride 1 and 1 zero
  // around.  x is the whole map; w: [out, in, 3, 3] as stored; bias may be null.
  void upsample_conv2d_rows(Planes y, std::int64_t first, ConstPlanes x, const WeightView& w,
                            const float* bias);
  // Adds the rows of x to moments, one for each channel. Called for the strips of a map from top to bottom it
  // gives what it gives for the map at once; channel_norms makes group_norm of that.
  virtual void add_moments(Moments* moments, ConstPlanes x);

  // y[r,c] = x[r,c] / sqrt(mean_c(x[r,c]^2) + eps) * weight[c].  weight may be null (1). y may be x.
  virtual void rms_norm(Rows y, ConstRows x, const float* weight, float eps) = 0;
  // y[r,c] += x[r,c] / sqrt(mean_c(x[r,c]^2) + eps) * weight[c]: a residual with the norm, its gate folded
  // into weight.
  virtual void add_rms_norm(Rows y, ConstRows x, const float* weight, float eps) = 0;
  // y[r,c] = (x[r,c] - mean_c) / sqrt(var_c + eps) * scale[c] + shift[c], biased variance.  scale may be null
  // (1), shift too (0). y may be x.
  virtual void layer_norm(Rows y, ConstRows x, const float* scale, const float* shift, float eps) = 0;
  // Per group of channels/groups neighbouring channels: (x - mean) / sqrt(var + eps) * weight[channel] +
  // bias[channel], then, if asked, y * sigmoid(y). y may be x.
  virtual void group_norm(Planes y, ConstPlanes x, std::int64_t groups, const float* weight,
                          const float* bias, float eps, bool silu) = 0;

  // y = a * sigmoid(a) * b, elementwise. y may be a or b.
  virtual void silu_mul(Rows y, ConstRows a, ConstRows b) = 0;
  // y = gelu(a) * b, elementwise, with gelu(a) = a / 2 * (1 + tanh(sqrt(2 / pi) * (a + 0.044715 a^3))). y may
  // be a or b.
  virtual void gelu_tanh_mul(Rows y, ConstRows a, ConstRows b);
  // y = x / 2 * (1 + erf(x / sqrt(2))), elementwise. y may be x.
  virtual void gelu(Rows y, ConstRows x);
  // y += x, elementwise.
  virtual void add(Rows y, ConstRows x) = 0;
  // y[r,c] += x[r,c] * scale[c]: a residual with a gate.
  virtual void add_scaled(Rows y, ConstRows x, const float* scale) = 0;

  // Rotates pairs in place; x: [rows, heads*head_dim]; cos, sin: [rows, head_dim/2]. Per head, pair p is
  // (2p, 2p+1) for interleaved and (p, p + head_dim/2) for half: (a, b) -> (a cos - b sin, a sin + b cos).
  virtual void rope_interleaved(Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin) = 0;
  virtual void rope_half(Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin) = 0;

  // y[c, i, j] = x[c, i/2, j/2].
  virtual void upsample_nearest_2x(Planes y, ConstPlanes x) = 0;

  // The type that operands of linear, attention and conv2d may be rounded to before they are multiplied,
  // where weights are stored as `weights`; sums are float32 at least.
  virtual Dtype product_dtype([[maybe_unused]] Dtype weights) const { return Dtype::f32; }
  // Kernels whose product_dtype is always f32, for models that ask for it; lives as long as this object and
  // counts its own operations.
  virtual Kernels& exact() { return *this; }

  // What kernels and their libraries take in memory when they are used first: code that is paged in or made
  // then, packing buffers, threads' stacks.
  virtual std::uint64_t scratch_bytes() const { return kUsualScratchBytes; }
  static constexpr std::uint64_t kUsualScratchBytes = 6'100'000;

  // "threads", "simd" and what else a person may want to know.
  virtual std::vector<std::pair<std::string, std::string>> describe() const = 0;

  // Floating-point operations of linear, attention and convolutions since the beginning: 2 per multiply-add
  // of the formulas above, however they are computed.
  std::uint64_t operations() const { return operations_; }

  // While it lives nothing is counted, for what is computed a second time only to save memory.
  class Uncounted {
   public:
    explicit Uncounted(Kernels& kernels) : kernels_(kernels), operations_(kernels.operations_) {}
    ~Uncounted() { kernels_.operations_ = operations_; }
    Uncounted(const Uncounted&) = delete;
    Uncounted& operator=(const Uncounted&) = delete;

   private:
    Kernels& kernels_;
    std::uint64_t operations_;
  };

 protected:
  virtual void do_linear_by_rows(Rows y, ConstRows x, const WeightView& w, const float* bias) {
    do_linear(y, x, w, bias);
  }
  // The specification's unless an engine has its own.
  virtual void do_paged_attention(Rows out, ConstRows q, const PagedKeys& seen, const AttentionShape& shape,
                                  RowSums sums);
  virtual void do_linear(Rows y, ConstRows x, const WeightView& w, const float* bias) = 0;
  virtual void do_attention(Rows out, ConstRows q, ConstRows k, ConstRows v, const AttentionShape& shape) = 0;
  virtual void do_conv2d(Planes y, ConstPlanes x, const WeightView& w, const float* bias,
                         const ConvShape& shape) = 0;
  // Operations on strips are the specification's unless an engine has its own.
  virtual void do_conv2d_rows(Planes y, std::int64_t first, const Strip& x, const WeightView& w,
                              const float* bias, const ConvRows& how);
  virtual void do_upsample_conv2d_rows(Planes y, std::int64_t first, ConstPlanes x, const WeightView& w,
                                       const float* bias);

 private:
  std::uint64_t operations_ = 0;
};

// The specification: one thread, plain loops, sums in double.
std::unique_ptr<Kernels> make_reference_kernels();

}  // namespace engines
