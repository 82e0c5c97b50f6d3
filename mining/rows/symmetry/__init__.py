"""The space group of every structure: what its block says (`blocks`), what its contents say of that
(`evidence`), and which group is taken (`decide`).
"""
