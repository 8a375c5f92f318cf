#include <set>

#include <gtest/gtest.h>

#include "differences.h"
#include "graph/adjoint/rule.h"

namespace mpq::graph::adjoint {
namespace {

using testing::expect_gradient;

/// The operator stands behind a product with the weight, so that its input's adjoint is what is tested; or it reads
/// the weight itself.
struct Case {
  std::string name;
  Shape weight;
  std::string body;  ///< computes y from x (of the weight's shape), h = x * w, and w
  float offset = 0;  ///< added to the weight, for functions that want positive numbers
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

const std::vector<Case> kCases = {
    {"Identity", {2, 3}, "y = Identity(h)"},
    {"Dropout", {2, 3}, "y = Dropout(h)"},
    {"Cast", {2, 3}, "y = Cast<to = 1>(h)"},
    {"AddBroadcast", {1, 3}, "c = Constant<value = float[4, 3] {1,2,3,4,5,6,7,8,9,10,11,12}>() y = Add(h, c)"},
    {"SumOfThree", {2, 3}, "y = Sum(h, w, x)"},
    {"Mean", {2, 3}, "y = Mean(h, w, x)"},
    {"Sub", {2, 3}, "a = Sub(h, x) y = Sub(x, a)"},
    {"MulBroadcast", {2, 1}, "c = Constant<value = float[2, 3] {1,-2,3,-4,5,-6}>() a = Mul(c, h) y = Mul(a, w)"},
    {"DivBoth", {2, 3}, "a = Div(x, w) y = Div(a, w)", 4},
    {"Max", {2, 3}, "c = Constant<value = float {0.3}>() y = Max(h, c)"},
    {"Min", {2, 3}, "c = Constant<value = float {0.3}>() y = Min(c, h)"},
    {"PowSquare", {2, 3}, "c = Constant<value = float {2}>() y = Pow(h, c)"},
    {"PowCube", {2, 3}, "c = Constant<value = float {3}>() y = Pow(h, c)"},
    {"Where", {2, 3}, "c = Greater(x, w) y = Where(c, h, w)"},
    {"Neg", {2, 3}, "y = Neg(h)"},
    {"Abs", {2, 3}, "y = Abs(h)"},
    {"Exp", {2, 3}, "y = Exp(h)"},
    {"Log", {2, 3}, "y = Log(w)", 6},
    {"Sin", {2, 3}, "y = Sin(h)"},
    {"Cos", {2, 3}, "y = Cos(h)"},
    {"Reciprocal", {2, 3}, "y = Reciprocal(w)", 6},
    {"Sqrt", {2, 3}, "y = Sqrt(w)", 6},
    {"Erf", {2, 3}, "y = Erf(h)"},
    {"Relu", {3, 4}, "y = Relu(h)"},
    {"LeakyRelu", {3, 4}, "y = LeakyRelu<alpha = 0.2>(h)"},
    {"PRelu", {2, 3}, "y = PRelu(x, w)"},
    {"PReluInput", {2, 3}, "c = Constant<value = float {0.3}>() y = PRelu(h, c)"},
    {"Elu", {3, 4}, "y = Elu<alpha = 0.7>(h)"},
    {"Selu", {3, 4}, "y = Selu(h)"},
    {"Clip", {3, 4}, "a = Constant<value = float {-0.45}>() b = Constant<value = float {0.6}>() y = Clip(h, a, b)"},
    {"ClipOneSided", {3, 4}, "b = Constant<value = float {0.6}>() y = Clip(h, , b)"},
    {"ClipAtWeights",
     {3, 4},
     "m = ReduceMax<keepdims = 0>(h) n = ReduceMin<keepdims = 0>(h) c = Constant<value = float {0.4}>() "
     "a = Mul(n, c) b = Mul(m, c) y = Clip(h, a, b)"},
    {"HardSigmoid", {3, 4}, "y = HardSigmoid<alpha = 0.4>(h)"},
    {"HardSwish", {3, 4}, "y = HardSwish(h)"},
    {"Tanh", {3, 4}, "y = Tanh(h)"},
    {"Sigmoid", {3, 4}, "y = Sigmoid(h)"},
    {"Softplus", {3, 4}, "y = Softplus(h)"},
    {"Softsign", {3, 4}, "y = Softsign(h)"},
    {"Mish", {3, 4}, "y = Mish(h)"},
    {"ThresholdedRelu", {3, 4}, "y = ThresholdedRelu<alpha = 0.3>(h)"},
    {"Reshape", {2, 6}, "s = Constant<value = int64[2] {3, -1}>() y = Reshape(h, s)"},
    {"Flatten", {2, 3, 2}, "y = Flatten(h)"},
    {"Squeeze", {2, 1, 3}, "s = Constant<value = int64[1] {1}>() y = Squeeze(h, s)"},
    {"Unsqueeze", {2, 3}, "s = Constant<value = int64[1] {1}>() y = Unsqueeze(h, s)"},
    {"Transpose", {2, 3, 4}, "y = Transpose<perm = [2, 0, 1]>(h)"},
    {"TransposeReverse", {2, 3, 4}, "y = Transpose(h)"},
    {"Expand", {2, 1}, "s = Constant<value = int64[3] {3, 2, 4}>() y = Expand(h, s)"},
    {"Tile", {2, 3}, "s = Constant<value = int64[2] {2, 3}>() y = Tile(h, s)"},
    {"Concat", {2, 3}, "y = Concat<axis = -1>(h, x, w)"},
    {"Split",
     {2, 6},
     "s = Constant<value = int64[3] {1, 2, 3}>() a, b, c = Split<axis = 1>(h, s) "
     "d = ReduceSum<keepdims = 0>(a) y = Mul(c, d)"},
    {"Pad", {2, 3}, "s = Constant<value = int64[4] {1, 0, 0, 2}>() y = Pad(h, s)"},
    {"PadNegative", {3, 4}, "s = Constant<value = int64[4] {-1, 1, 0, -2}>() y = Pad(h, s)"},
    {"PadAxes",
     {3, 4},
     "s = Constant<value = int64[2] {2, 1}>() a = Constant<value = int64[1] {-1}>() y = Pad(h, s, , a)"},
    {"PadReflect", {1, 3, 4}, "s = Constant<value = int64[6] {0, 2, 3, 0, 1, 2}>() y = Pad<mode = \"reflect\">(h, s)"},
    {"PadReflectBehind", {2, 4}, "s = Constant<value = int64[4] {0, 0, 0, 3}>() y = Pad<mode = \"reflect\">(h, s)"},
    {"PadEdge", {2, 3}, "s = Constant<value = int64[4] {1, 0, 2, 4}>() y = Pad<mode = \"edge\">(h, s)"},
    {"PadWrap", {3, 4}, "s = Constant<value = int64[4] {1, 4, 2, 0}>() y = Pad<mode = \"wrap\">(h, s)"},
    {"PadReflectAxes",
     {2, 5},
     "s = Constant<value = int64[2] {1, 4}>() a = Constant<value = int64[1] {1}>() "
     "y = Pad<mode = \"reflect\">(h, s, , a)"},
    {"DepthToSpace", {1, 8, 2, 3}, "y = DepthToSpace<blocksize = 2>(h)"},
    {"DepthToSpaceColumnsFirst", {2, 8, 2, 3}, "y = DepthToSpace<blocksize = 2, mode = \"CRD\">(h)"},
    {"SpaceToDepth", {1, 2, 4, 6}, "y = SpaceToDepth<blocksize = 2>(h)"},
    {"Trilu", {2, 3, 4}, "y = Trilu(h)"},
    {"TriluBelow", {3, 4}, "k = Constant<value = int64 {-1}>() y = Trilu<upper = 0>(h, k)"},
    {"GatherRepeated", {4, 3}, "i = Constant<value = int64[2, 2] {1, 3, 1, -1}>() y = Gather(h, i)"},
    {"GatherInnerAxis", {2, 4, 3}, "i = Constant<value = int64[3] {2, 0, 2}>() y = Gather<axis = 1>(h, i)"},
    {"GatherScalar", {2, 4}, "i = Constant<value = int64 {2}>() y = Gather<axis = 1>(h, i)"},
    {"GatherVariable",
     {4, 3},
     "n = Shape(x) d = Floor(x) e = Abs(d) f = Cast<to = 7>(e) "
     "z = Constant<value = int64 {4}>() i = Mod(f, z) y = Gather(h, i)"},
    {"GatherElements", {2, 3}, "i = Constant<value = int64[2, 2] {0, 2, 1, 1}>() y = GatherElements<axis = 1>(h, i)"},
    {"GatherND", {3, 4, 2}, "i = Constant<value = int64[3, 2] {0, 1, 2, 3, 0, 1}>() y = GatherND(h, i)"},
    {"ScatterND",
     {4, 3},
     "i = Constant<value = int64[2, 1] {2, 0}>() b = Constant<value = int64[1] {1}>() "
     "e = Constant<value = int64[1] {3}>() u = Slice(w, b, e) y = ScatterND(h, i, u)"},
    {"ScatterNDAdds",
     {4, 3},
     "i = Constant<value = int64[2, 2] {2, 0, 2, 0}>() b = Constant<value = int64[2] {1, 1}>() "
     "e = Constant<value = int64[2] {3, 2}>() s = Constant<value = int64[1] {2}>() t = Slice(w, b, e) "
     "u = Reshape(t, s) y = ScatterND<reduction = \"add\">(h, i, u)"},
    {"ScatterElements",
     {2, 3},
     "i = Constant<value = int64[2, 1] {2, 0}>() b = Constant<value = int64[1] {1}>() "
     "e = Constant<value = int64[1] {2}>() u = Slice(w, b, e, b) y = ScatterElements<axis = 1>(h, i, u)"},
    {"ScatterElementsAdds",
     {2, 3},
     "i = Constant<value = int64[2, 3] {2, 0, 2, 1, 1, 1}>() "
     "y = ScatterElements<axis = 1, reduction = \"add\">(h, i, w)"},
    {"ReverseSequence",
     {4, 2, 3},
     "l = Constant<value = int64[2] {3, 4}>() y = ReverseSequence<batch_axis = 1, time_axis = 0>(h, l)"},
    {"TopK", {2, 5}, "k = Constant<value = int64[1] {2}>() y, i = TopK<axis = 1>(h, k)"},
    {"Slice",
     {4, 5},
     "b = Constant<value = int64[2] {1, -3}>() e = Constant<value = int64[2] {3, 9}>() y = Slice(h, b, e)"},
    {"SliceSteps",
     {5, 6},
     "b = Constant<value = int64[2] {0, -1}>() e = Constant<value = int64[2] {5, -99}>() "
     "a = Constant<value = int64[2] {0, 1}>() s = Constant<value = int64[2] {2, -2}>() y = Slice(h, b, e, a, s)"},
    {"ReduceSum", {2, 3, 4}, "a = Constant<value = int64[1] {-2}>() y = ReduceSum<keepdims = 0>(h, a)"},
    {"ReduceMean", {2, 3, 4}, "a = Constant<value = int64[2] {0, 2}>() y = ReduceMean(h, a)"},
    {"ReduceAll", {2, 3}, "y = ReduceMean<keepdims = 0>(h)"},
    {"ReduceSumSquare", {2, 3}, "a = Constant<value = int64[1] {1}>() y = ReduceSumSquare(h, a)"},
    {"ReduceL1", {2, 3}, "a = Constant<value = int64[1] {1}>() y = ReduceL1(h, a)"},
    {"ReduceL2", {2, 3}, "a = Constant<value = int64[1] {1}>() y = ReduceL2<keepdims = 0>(h, a)"},
    {"ReduceMax", {2, 5}, "a = Constant<value = int64[1] {1}>() y = ReduceMax(h, a)"},
    {"ReduceMin", {2, 5}, "a = Constant<value = int64[1] {1}>() y = ReduceMin(h, a)"},
    {"ReduceLogSumExp", {2, 5}, "a = Constant<value = int64[1] {1}>() y = ReduceLogSumExp(h, a)"},
    {"CumSum", {2, 5}, "a = Constant<value = int64 {1}>() y = CumSum<exclusive = 1>(h, a)"},
    {"MatMul", {3, 3}, "a = MatMul(x, w) y = MatMul(w, a)"},
    {"MatMulBatchedLeft", {2, 3, 4}, "c = Transpose<perm = [0, 2, 1]>(x) y = MatMul(h, c)"},
    {"MatMulBatchedRight", {2, 3, 4}, "c = Transpose<perm = [0, 2, 1]>(x) y = MatMul(c, h)"},
    {"MatMulSharedRight",
     {3, 4},
     "s = Constant<value = int64[4] {2, 2, 1, 3}>() a = Expand(x, t) "
     "t = Constant<value = int64[3] {5, 3, 4}>() c = Transpose<perm = [0, 2, 1]>(a) y = MatMul(c, w)"},
    {"MatMulVectors", {4}, "y = MatMul(x, w)"},
    {"MatMulVectorLeft", {3}, "c = Constant<value = float[2, 3, 2] {1,2,3,4,5,6,7,8,9,1,2,3}>() y = MatMul(h, c)"},
    {"Gemm", {3, 3}, "y = Gemm<alpha = 0.5, beta = 2.0>(x, w, h)"},
    {"GemmTransposed", {3, 4}, "y = Gemm<transA = 1, transB = 0>(h, w)"},
    {"GemmTransposedRight", {3, 4}, "y = Gemm<transB = 1>(w, h)"},
    {"GemmBothTransposed", {3, 3}, "y = Gemm<transA = 1, transB = 1>(w, h)"},
    {"Einsum", {2, 3, 4}, "y = Einsum<equation = \"bij,bkj->ikb\">(h, x)"},
    {"Softmax", {2, 5}, "y = Softmax(h)"},
    {"SoftmaxAxis", {2, 5, 3}, "y = Softmax<axis = 1>(h)"},
    {"LogSoftmax", {2, 5}, "y = LogSoftmax(h)"},
    {"LayerNormalization", {3, 5}, "s = Constant<value = float[5] {1, 2, -1, 0.5, 3}>() y = LayerNormalization(h, s)"},
    {"LayerNormalizationAxis",
     {2, 3, 2},
     "s = Constant<value = float[3, 2] {1, 2, -1, 0.5, 3, 1}>() y = LayerNormalization<axis = 1>(h, s)"},
    {"LayerNormalizationScale",
     {5},
     "a = Constant<value = float[3, 5] {1,2,3,4,6,6,7,1,9,1,2,3,2,5,7}>() y = LayerNormalization(a, w)"},
    {"LRN", {2, 5, 2, 3}, "y = LRN<size = 3, alpha = 0.9, beta = 0.6, bias = 1.5>(h)"},
    {"LpNormalization", {3, 4}, "y = LpNormalization<axis = 1>(h)"},
    {"BatchNormalization",
     {1, 2, 3, 3},
     "s = Constant<value = float[2] {1, 2}>() b = Constant<value = float[2] {0, 1}>() "
     "m = Constant<value = float[2] {0.5, 1}>() v = Constant<value = float[2] {2, 3}>() y = BatchNormalization(h, s, "
     "b, m, v)"},
    {"InstanceNormalization",
     {1, 2, 3, 3},
     "s = Constant<value = float[2] {1, 2}>() b = Constant<value = float[2] {0, 1}>() "
     "y = InstanceNormalization(h, s, b)"},
    {"GlobalAveragePool", {1, 2, 3, 4}, "y = GlobalAveragePool(h)"},
    {"GlobalMaxPool", {1, 2, 3, 4}, "y = GlobalMaxPool(h)"},
    {"MaxPoolOverlapping",
     {1, 2, 6, 6},
     "y = MaxPool<kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1]>(h)"},
    {"AveragePoolTiles", {1, 2, 5, 6}, "y = AveragePool<kernel_shape = [2, 3], strides = [2, 3]>(h)"},
    {"AveragePoolOverlapping",
     {1, 2, 6, 7},
     "y = AveragePool<kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1]>(h)"},
    {"AveragePoolCountsPadding",
     {1, 2, 6, 6},
     "y = AveragePool<kernel_shape = [3, 3], pads = [1, 1, 1, 1], count_include_pad = 1>(h)"},
    {"AveragePoolCeil", {1, 1, 6, 6}, "y = AveragePool<kernel_shape = [3, 3], strides = [2, 2], ceil_mode = 1>(h)"},
    {"ResizeNearest",
     {1, 2, 2, 3},
     "s = Constant<value = float[4] {1, 1, 2, 3}>() y = Resize<mode = \"nearest\">(h, , s)"},
    {"ResizeNearestFloor",
     {1, 2, 2, 3},
     "s = Constant<value = float[4] {1, 1, 2, 2}>() "
     "y = Resize<mode = \"nearest\", coordinate_transformation_mode = \"asymmetric\", nearest_mode = \"floor\">(h, , "
     "s)"},
    {"ResizeLinear",
     {1, 2, 3, 4},
     "s = Constant<value = float[4] {1, 1, 2, 1.5}>() y = Resize<mode = \"linear\">(h, , s)"},
    {"ResizeLinearCorners",
     {1, 1, 3, 4},
     "s = Constant<value = int64[4] {1, 1, 5, 7}>() "
     "y = Resize<mode = \"linear\", coordinate_transformation_mode = \"align_corners\">(h, , , s)"},
};

class RuleTest : public ::testing::TestWithParam<Case> {};

TEST_P(RuleTest, MatchesCentralDifferences) {
  const Case& c = GetParam();
  onnx::ModelProto model = testing::parsed("g (float x) => (float y) { h = Mul(x, w) " + c.body + " }");
  for (auto* info : {model.mutable_graph()->mutable_input(0), model.mutable_graph()->mutable_output(0)}) {
    info->mutable_type()->mutable_tensor_type()->clear_shape();
  }
  std::vector<float> w = testing::gaussians(1, count_of(c.weight));
  for (float& value : w) value += c.offset;
  testing::add_floats(model, "w", c.weight, w);
  const Feed feed{{"x", testing::tensor_of(c.weight, testing::gaussians(2, count_of(c.weight)))}};
  expect_gradient(model, c.weight, w, feed);
}

INSTANTIATE_TEST_SUITE_P(Operators, RuleTest, ::testing::ValuesIn(kCases),
                         [](const auto& tested) { return tested.param.name; });

/// Convolutions by the weight (a filter) and by the input (h is what the filter reads).
struct ConvCase {
  std::string name;
  Shape image, filter;
  std::string node;  ///< with the names of image and filter to be put in: %i, %f
};

void PrintTo(const ConvCase& c, std::ostream* out) { *out << c.name; }

const std::vector<ConvCase> kConvolutions = {
    {"Plain", {1, 3, 6, 7}, {4, 3, 3, 3}, "Conv(%i, %f)"},
    {"Padded", {1, 2, 6, 7}, {3, 2, 3, 3}, "Conv<pads = [1, 2, 0, 1]>(%i, %f)"},
    {"Pointwise", {1, 3, 4, 5}, {6, 3, 1, 1}, "Conv(%i, %f)"},
    {"PointwisePadded", {1, 3, 4, 5}, {6, 3, 1, 1}, "Conv<pads = [1, 1, 1, 1]>(%i, %f)"},
    {"Strided", {1, 2, 8, 9}, {3, 2, 3, 3}, "Conv<strides = [2, 3], pads = [1, 1, 1, 1]>(%i, %f)"},
    {"StridedUnread", {1, 2, 8, 8}, {3, 2, 1, 1}, "Conv<strides = [2, 2]>(%i, %f)"},
    {"Dilated", {1, 2, 9, 9}, {3, 2, 3, 3}, "Conv<dilations = [2, 1], pads = [2, 1, 2, 1]>(%i, %f)"},
    {"SameUpper", {1, 2, 7, 8}, {3, 2, 3, 3}, "Conv<auto_pad = \"SAME_UPPER\", strides = [2, 2]>(%i, %f)"},
    {"Grouped", {1, 4, 6, 6}, {6, 2, 3, 3}, "Conv<group = 2, pads = [1, 1, 1, 1]>(%i, %f)"},
    {"GroupedStrided", {1, 4, 6, 6}, {6, 2, 3, 3}, "Conv<group = 2, strides = [2, 2]>(%i, %f)"},
    {"Depthwise", {1, 4, 6, 6}, {4, 1, 3, 3}, "Conv<group = 4, pads = [1, 1, 1, 1]>(%i, %f)"},
    {"DepthwiseStrided", {1, 4, 7, 6}, {4, 1, 5, 5}, "Conv<group = 4, strides = [2, 1], pads = [2, 2, 2, 2]>(%i, %f)"},
    {"DepthwiseWide", {1, 3, 4, 9}, {3, 1, 3, 3}, "Conv<group = 3, strides = [1, 2], pads = [1, 0, 1, 1]>(%i, %f)"},
    {"DepthwiseDilated",
     {2, 3, 9, 8},
     {3, 1, 3, 2},
     "Conv<group = 3, dilations = [2, 3], strides = [2, 1], pads = [1, 2, 0, 1]>(%i, %f)"},
    {"DepthwiseUnread", {1, 2, 8, 8}, {2, 1, 3, 3}, "Conv<group = 2, strides = [3, 3]>(%i, %f)"},
    {"DepthwiseOneAxis", {2, 3, 9}, {3, 1, 3}, "Conv<group = 3, strides = [2], pads = [1, 1]>(%i, %f)"},
    {"DepthwiseMultiplied", {1, 3, 6, 6}, {6, 1, 3, 3}, "Conv<group = 3, pads = [1, 1, 1, 1]>(%i, %f)"},
    {"ManyChannels", {1, 17, 5, 6}, {3, 17, 3, 3}, "Conv<strides = [2, 1], pads = [1, 1, 1, 1]>(%i, %f)"},
    {"LargePads", {1, 2, 5, 5}, {2, 2, 2, 2}, "Conv<pads = [3, 3, 3, 3]>(%i, %f)"},
    {"ManyOffsets", {1, 2, 10, 12}, {3, 2, 8, 9}, "Conv<pads = [1, 2, 3, 0]>(%i, %f)"},
    {"ManyOffsetsApart", {1, 1, 1, 190}, {4, 1, 1, 80}, "Conv<strides = [1, 20], dilations = [1, 2]>(%i, %f)"},
    {"ManyOffsetsTransposed",
     {1, 3, 2, 3},
     {3, 2, 8, 8},
     "ConvTranspose<strides = [3, 2], pads = [1, 0, 0, 2]>(%i, %f)"},
    {"Batch", {3, 4, 5, 5}, {4, 2, 3, 3}, "Conv<group = 2, strides = [2, 2], pads = [1, 1, 1, 1]>(%i, %f)"},
    {"OneAxis", {1, 3, 9}, {4, 3, 3}, "Conv<strides = [2]>(%i, %f)"},
    {"Transposed",
     {1, 3, 4, 5},
     {3, 2, 3, 3},
     "ConvTranspose<strides = [2, 2], pads = [1, 1, 1, 1], output_padding = [1, 0]>(%i, %f)"},
    {"TransposedGroups", {2, 4, 4, 4}, {4, 3, 2, 2}, "ConvTranspose<group = 2, strides = [2, 2]>(%i, %f)"},
};

class ConvolutionTest : public ::testing::TestWithParam<ConvCase> {};

void expect_convolution_gradient(const ConvCase& c, bool by_filter) {
  std::string node = c.node;
  node.replace(node.find("%i"), 2, by_filter ? "x" : "h");
  node.replace(node.find("%f"), 2, by_filter ? "w" : "c");
  const Shape &of_w = by_filter ? c.filter : c.image, &of_c = by_filter ? c.image : c.filter;
  onnx::ModelProto model = testing::parsed("g (float x) => (float y) { " +
                                           std::string(by_filter ? "" : "h = Mul(x, w) ") + "y = " + node + " }");
  for (auto* info : {model.mutable_graph()->mutable_input(0), model.mutable_graph()->mutable_output(0)}) {
    info->mutable_type()->mutable_tensor_type()->clear_shape();
  }
  const std::vector<float> w = testing::gaussians(1, count_of(of_w));
  testing::add_floats(model, "w", of_w, w);
  if (!by_filter) testing::add_floats(model, "c", of_c, testing::gaussians(3, count_of(of_c)));
  const Feed feed{{"x", testing::tensor_of(c.image, testing::gaussians(2, count_of(c.image)))}};
  expect_gradient(model, of_w, w, feed, 1e-2);
}

TEST_P(ConvolutionTest, FilterMatchesCentralDifferences) { expect_convolution_gradient(GetParam(), true); }
TEST_P(ConvolutionTest, ImageMatchesCentralDifferences) { expect_convolution_gradient(GetParam(), false); }

INSTANTIATE_TEST_SUITE_P(Operators, ConvolutionTest, ::testing::ValuesIn(kConvolutions),
                         [](const auto& tested) { return tested.param.name; });

/// No rule goes unchecked. Gelu needs a newer operator set than the runtime's text cases use.
TEST(Rules, AreAllTested) {
  std::string texts = " Conv( ConvTranspose( Gelu(";
  for (const Case& c : kCases) texts += " " + c.body + " ";
  for (const auto& [op, rule] : rules()) {
    const bool used =
        texts.find(" " + op + "(") != std::string::npos || texts.find(" " + op + "<") != std::string::npos;
    EXPECT_TRUE(used) << op;
  }
}

}  // namespace
}  // namespace mpq::graph::adjoint
