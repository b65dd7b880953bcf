"""Real processes, hurt on purpose: does every promise of delivery, timers and decisions hold?"""
