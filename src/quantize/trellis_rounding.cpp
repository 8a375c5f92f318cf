#include "quantize/trellis_rounding.h"

#include <algorithm>
#include <numeric>

#include "quantize/kernels/kernels.h"

namespace mpq::quant {

namespace {

using Eigen::Index;

/// One line per column, the rows of all groups side by side: what the stream runs along.
Matrix lines_of(const std::vector<Matrix>& groups) {
  const Index rows = groups.front().rows();
  Matrix lines(groups.front().cols(), rows * static_cast<Index>(groups.size()));
  for (std::size_t g = 0; g < groups.size(); ++g) {
    lines.middleCols(static_cast<Index>(g) * rows, rows) = groups[g].transpose();
  }
  return lines;
}

class Rounding {
 public:
  explicit Rounding(const TrellisProblem& problem)
      : problem_(problem),
        table_(problem.entries),
        weights_(lines_of(problem.weights)),
        scales_(lines_of(problem.scales)),
        taken_(weights_.rows(), weights_.cols()),
        stream_(static_cast<std::size_t>(weights_.size()), table_) {}

  void to_nearest() {
    for (Index column = 0; column < weights_.rows(); ++column) take(column, weights_.row(column));
  }
  void greedily(const std::vector<SecondOrder>& views);
  std::vector<Matrix> taken() const;

 private:
  using Line = Eigen::Matrix<float, 1, Eigen::Dynamic>;

  /// The column takes the path nearest to `aims`.
  void take(Index column, const Line& aims) {
    const Line ratios = aims.cwiseQuotient(scales_.row(column));
    const auto count = static_cast<std::size_t>(ratios.size());
    stream_.round({ratios.data(), count}, static_cast<std::size_t>(column) * count,
                  taken_.data() + column * taken_.cols());
  }
  Index rows() const { return problem_.weights.front().rows(); }

  /// What rounding the column at `place` leaves to those at [begin, place).
  void spread(const std::vector<SecondOrder>& views, Index place, const Line& error, Index begin, Matrix& moved) const;
  /// What the columns at [begin, begin + count) leave to all before them; errors has a line for each.
  void spread_block(const std::vector<SecondOrder>& views, Index begin, Index count, const Matrix& errors,
                    Matrix& moved) const;

  const TrellisProblem& problem_;
  TrellisTable table_;
  Matrix weights_, scales_, taken_;
  TrellisStream stream_;
};

void Rounding::spread(const std::vector<SecondOrder>& views, Index place, const Line& error, Index begin,
                      Matrix& moved) const {
  for (std::size_t g = 0; g < views.size(); ++g) {
    const Index first = static_cast<Index>(g) * rows();
    for (Index before = begin; before < place; ++before) {
      kernels::best().add(moved.data() + before * moved.cols() + first, error.data() + first,
                          views[g].upper()(before, place), static_cast<std::size_t>(rows()));
    }
  }
}

void Rounding::spread_block(const std::vector<SecondOrder>& views, Index begin, Index count, const Matrix& errors,
                            Matrix& moved) const {
  const auto width = static_cast<std::size_t>(moved.cols());
  for (std::size_t g = 0; g < views.size(); ++g) {
    const Matrix& upper = views[g].upper();
    const Index first = static_cast<Index>(g) * rows();
    kernels::best().product({{upper.data() + begin, static_cast<std::size_t>(upper.cols()), 1},
                             errors.data() + first,
                             width,
                             moved.data() + first,
                             width,
                             static_cast<std::size_t>(begin),
                             static_cast<std::size_t>(rows()),
                             static_cast<std::size_t>(count)});
  }
}

void Rounding::greedily(const std::vector<SecondOrder>& views) {
  constexpr Index kBlock = 128;
  const std::vector<Index>& order = views.front().order();
  const Index n = weights_.rows();
  Matrix moved = Matrix::Zero(n, weights_.cols());  // lines by place in the order
  Matrix errors(kBlock, weights_.cols());
  for (Index end = n; end > 0; end -= std::min(end, kBlock)) {
    const Index begin = std::max<Index>(end - kBlock, 0);
    for (Index place = end - 1; place >= begin; --place) {
      const Index column = order[static_cast<std::size_t>(place)];
      Line aims = weights_.row(column);
      for (std::size_t g = 0; g < views.size(); ++g) {
        const Index first = static_cast<Index>(g) * rows();
        aims.segment(first, rows()) += moved.row(place).segment(first, rows()) / views[g].upper()(place, place);
      }
      take(column, aims);
      const Line error = weights_.row(column) - taken_.row(column).cwiseProduct(scales_.row(column));
      errors.row(place - begin) = error;
      spread(views, place, error, begin, moved);
    }
    spread_block(views, begin, end - begin, errors, moved);
  }
}

std::vector<Matrix> Rounding::taken() const {
  std::vector<Matrix> result;
  for (std::size_t g = 0; g < problem_.weights.size(); ++g) {
    result.emplace_back(taken_.middleCols(static_cast<Index>(g) * rows(), rows()).transpose());
  }
  return result;
}

}  // namespace

bool runs_along_rows(const Layer& layer, const MatrixView& view) {
  if (static_cast<std::int64_t>(view.size()) != layer.parameters) return false;
  const std::vector<std::uint32_t> order = trellis_order(layer);
  std::size_t place = 0;
  for (std::size_t k = 0; k < view.columns; ++k) {
    for (std::size_t g = 0; g < view.groups; ++g) {
      for (std::size_t r = 0; r < view.rows; ++r) {
        if (order[place++] != view.at(g, r, k)) return false;
      }
    }
  }
  return true;
}

std::vector<Matrix> round_trellis(const TrellisProblem& problem) {
  Rounding rounding(problem);
  rounding.to_nearest();
  return rounding.taken();
}

std::vector<Matrix> round_trellis(const TrellisProblem& problem, const std::vector<SecondOrder>& views) {
  if (!std::ranges::all_of(views, &SecondOrder::valid)) return round_trellis(problem);
  Rounding rounding(problem);
  rounding.greedily(views);
  return rounding.taken();
}

}  // namespace mpq::quant
