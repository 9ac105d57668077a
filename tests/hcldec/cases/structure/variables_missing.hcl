a = n.zz
