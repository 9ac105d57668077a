a {}
b {}
b {}
c {}
c {}
