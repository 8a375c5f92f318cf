#include "mpq/pipeline.h"
