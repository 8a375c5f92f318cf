#include "app.h"

int main(int argc, char** argv) { return mpq::cli::run(argc, argv); }
