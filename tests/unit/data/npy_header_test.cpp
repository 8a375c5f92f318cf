#include "data/npy_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mpq::data {
namespace {

using testing::ElementsAre;

TEST(NpyHeader, ReadsWhatNumPyWrites) {
  const auto header = parse_npy_header("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }          \n");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->descr, "<f4");
  EXPECT_TRUE(header->fortran_order);
  EXPECT_THAT(header->shape, ElementsAre(2, 3));
}

TEST(NpyHeader, ReadsOtherSpellingsOfTheSameLiteral) {
  for (const char* text : {"{'shape': (7L,), 'descr': \"|u1\", 'fortran_order': False}",
                           "{\"fortran_order\":False,\"shape\":(7,),\"descr\":\"|u1\",}",
                           "  {'descr' : '|u1' ,\n\t'fortran_order' : False, 'shape' : ( 7 , ) }\n"}) {
    const auto header = parse_npy_header(text);
    ASSERT_TRUE(header) << text;
    EXPECT_EQ(header->descr, "|u1");
    EXPECT_FALSE(header->fortran_order);
    EXPECT_THAT(header->shape, ElementsAre(7));
  }
}

TEST(NpyHeader, ReadsTheShapeOfASingleNumber) {
  const auto header = parse_npy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (), }\n");
  ASSERT_TRUE(header);
  EXPECT_THAT(header->shape, ElementsAre());
}

TEST(NpyHeader, KeepsStructuresUnparsed) {
  const auto header =
      parse_npy_header("{'descr': [('a', '<f4'), ('b', [('c', '<i2')])], 'fortran_order': False, 'shape': (1,)}");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->descr, "[('a', '<f4'), ('b', [('c', '<i2')])]");
}

TEST(NpyHeader, RefusesIncompleteDictionaries) {
  for (const char* text :
       {"", "{}", "{'descr': '<f4', 'fortran_order': False}", "{'descr': '<f4', 'shape': (1,)}",
        "{'fortran_order': False, 'shape': (1,)}", "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), ", "'descr': '<f4'", "{'descr': '<f4"}) {
    EXPECT_FALSE(parse_npy_header(text)) << text;
  }
}

TEST(NpyHeader, RefusesWhatFollowsTheDictionary) {
  const std::string whole = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}";
  EXPECT_TRUE(parse_npy_header(whole));
  for (const char* more : {"}", " x", ", 'shape': (2,)}", "{}", ";"}) EXPECT_FALSE(parse_npy_header(whole + more));
}

TEST(NpyHeader, RefusesOtherKeysAndValues) {
  for (const char* text :
       {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}", "{'descr': '<f4', 'fortran_order': False, 'shape': [1]}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1 2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1.5,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,)}",
        "{'descr': __import__('os'), 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}",
        "{descr: '<f4', 'fortran_order': False, 'shape': (1,)}"}) {
    EXPECT_FALSE(parse_npy_header(text)) << text;
  }
}

}  // namespace
}  // namespace mpq::data
