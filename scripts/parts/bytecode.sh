# Sourced by the scripts: what Python compiles is kept in .setup and read by every later process.
# A day of the demo or a run of the tests starts hundreds of them, each with some 2,000 modules.
unset PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX="$root/.setup/bytecode"
