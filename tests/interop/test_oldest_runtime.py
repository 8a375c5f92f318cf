"""Portable files on the oldest ONNX Runtime they are for: the rules of test_integer_activations and
test_dynamic_activations, which mpq takes from the newest one, hold there for at most 7 bits.

Usage, with that runtime's interpreter: test_oldest_runtime.py MPQ [unittest arguments]
"""

import sys
import unittest

import onnxruntime

import test_dynamic_activations as dynamic
import test_integer_activations as static


def portable(options):
    """8 bits are 7 in portable files."""
    return [{"8": "7"}.get(option, option).replace("=8bit", "=7bit") for option in options] + ["--portable"]


class Oldest(unittest.TestCase):
    def test_it_is_the_oldest(self):
        self.assertEqual(onnxruntime.__version__.rsplit(".", 1)[0], "1.17")


class StaticActivations(static.IntegerActivationsTest):
    def quantize(self, model, *options, **how):
        return super().quantize(model, *portable(options), **how)

    # No part of portable files: widths of rows, 8 bits, weights that feed an integer kernel with float activations.
    test_rows_of_several_widths_land_on_the_int8_kernels = None
    test_portable_files_never_saturate = None
    test_a_gemm_that_swallows_its_relu_is_folded = None


class DynamicActivations(dynamic.DynamicActivationsTest):
    OPSETS = (13, 17, 20)

    def written(self, rows, *options, **how):
        return super().written(rows, *portable(options), **how)

    test_trellises_land_there_too = None
    test_blocks_keep_float_activations = None

    def check_folded(self, model, products):
        operators = self.operators(model)
        self.assertEqual(operators.count("MatMul"), products, operators)
        self.assertNotIn("DequantizeLinear", operators)

    def test_few_rows_keep_float_activations(self):
        """MatMulNBits is younger: without it the weights would be dequantized at every run."""
        self.check_folded(self.written(4, "--compute", "int8", "--budget", "8.5bit", "--layer", "*=7bit")[0], 3)

    def test_sentinels_among_the_inputs_keep_floats(self):
        self.check_folded(self.written(24, "--compute", "int8", "--budget", "8.5bit", "--layer", "*=7bit", outlier=1e32)[0], 1)


if __name__ == "__main__":
    static.TOOL = dynamic.TOOL = sys.argv.pop(1)
    unittest.main()
