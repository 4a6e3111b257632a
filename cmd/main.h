/* The programs that the one binary is, by the name under which it is executed. */
#pragma once

/* Each is a main(): Return: the exit status. */
int runsc_main(int argc, char **argv);
int sandbox_main(int argc, char **argv);
int gofer_main(int argc, char **argv);
